import { type BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import type { HeardSound, SentSound } from './items.ts';
import { type MessageWriter, uint32Size } from './message-writer.ts';

/** The field of `Sound` in an item of a gateway. */
export const soundField = 6;

/** Writes an item with this sound, as an element of `items`. */
export function encodeSound(writer: MessageWriter, { utterance = 0, s16le, f32le }: SentSound): void {
  const narrow = s16le?.length ?? 0;
  const wide = f32le?.length ?? 0;
  const size =
    (utterance === 0 ? 0 : 1 + uint32Size(utterance)) +
    (narrow === 0 ? 0 : 1 + uint32Size(narrow) + narrow) +
    (wide === 0 ? 0 : 1 + uint32Size(wide) + wide);
  writer.tag(1, WireType.LengthDelimited);
  writer.uint32(1 + uint32Size(size) + size);
  writer.tag(soundField, WireType.LengthDelimited);
  writer.uint32(size);
  if (utterance !== 0) {
    writer.tag(1, WireType.Varint);
    writer.uint32(utterance);
  }
  if (narrow > 0) writeBytes(writer, 2, s16le!);
  if (wide > 0) writeBytes(writer, 3, f32le!);
}

/** The sound up to `end`, or undefined when a field is in it that this program does not know. */
export function decodeSound(reader: BinaryReader, end: number): HeardSound | undefined {
  const sound: HeardSound = { utterance: 0, s16le: empty, f32le: empty };
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === utteranceTag) sound.utterance = reader.uint32();
    else if (tag === s16leTag) sound.s16le = reader.bytes();
    else if (tag === f32leTag) sound.f32le = reader.bytes();
    else return undefined;
  }
  return reader.pos === end ? sound : undefined;
}

function writeBytes(writer: MessageWriter, field: number, bytes: Uint8Array): void {
  writer.tag(field, WireType.LengthDelimited);
  writer.uint32(bytes.length);
  writer.bytes(bytes);
}

const utteranceTag = (1 << 3) | WireType.Varint;
const s16leTag = (2 << 3) | WireType.LengthDelimited;
const f32leTag = (3 << 3) | WireType.LengthDelimited;
const empty = new Uint8Array(0);
