import { type BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { type MessageWriter, uint32Size } from './message-writer.ts';
import type { SoundBytes } from './samples.ts';

/** The field of `Sound` in an item of a gateway. */
export const soundField = 6;

/** Writes an item with this sound, as an element of `items`. */
export function writeSound(writer: MessageWriter, utterance: number, { format, bytes, from, end }: SoundBytes): void {
  const length = end - from;
  const size = (utterance === 0 ? 0 : 1 + uint32Size(utterance)) + (length === 0 ? 0 : 1 + uint32Size(length) + length);
  writer.tag(1, WireType.LengthDelimited);
  writer.uint32(1 + uint32Size(size) + size);
  writer.tag(soundField, WireType.LengthDelimited);
  writer.uint32(size);
  if (utterance !== 0) {
    writer.uint32(utteranceTag);
    writer.uint32(utterance);
  }
  if (length === 0) return;
  writer.uint32(format === 'f32le' ? f32leTag : s16leTag);
  writer.uint32(length);
  writer.bytes(bytes.subarray(from, end));
}

/** Where a sound lies in a message. */
export type FoundSound = { utterance: number; isWide: boolean; from: number; end: number };

/**
 * Finds the sound that ends at `end`; false: there is none, or it is written as this program does
 * not write it.
 */
export function findSound(reader: BinaryReader, end: number, found: FoundSound): boolean {
  found.utterance = 0;
  found.end = 0;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === utteranceTag) found.utterance = reader.uint32();
    else if ((tag === s16leTag || tag === f32leTag) && found.end === 0) {
      const size = reader.uint32();
      found.isWide = tag === f32leTag;
      found.from = reader.pos;
      found.end = reader.pos + size;
      reader.pos = found.end;
    } else return false;
  }
  return found.end > found.from && reader.pos === end;
}

const utteranceTag = (1 << 3) | WireType.Varint;
const s16leTag = (2 << 3) | WireType.LengthDelimited;
const f32leTag = (3 << 3) | WireType.LengthDelimited;
