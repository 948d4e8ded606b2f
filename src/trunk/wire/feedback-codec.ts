import { type BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import type { HeardFeedback, SentFeedback } from './items.ts';
import { type MessageWriter, uint32Size } from './message-writer.ts';

/** The field of `Feedback` in an item of a node. */
export const feedbackField = 7;

/** Writes an item with this feedback, as an element of `items`. */
export function encodeFeedback(writer: MessageWriter, feedback: SentFeedback): void {
  const { utterance = 0, audioMs = 0, phonesJson = '', progressJson = empty, timing, ageMs = 0 } = feedback;
  const marks = feedback.marks ?? noMarks;
  const phonesSize = Buffer.byteLength(phonesJson);
  let marksSize = 0;
  for (let at = 0; at < marks.length; at += 1) marksSize += uint32Size(marks[at]!);
  const timingSize = timing ? timingSizeOf(timing) : 0;
  const size =
    (utterance === 0 ? 0 : 1 + uint32Size(utterance)) +
    (isZero(audioMs) ? 0 : 9) +
    delimited(phonesSize) +
    delimited(progressJson.length) +
    (timing ? 2 + timingSize : 0) +
    floatSize(ageMs) +
    delimited(marksSize);
  writer.tag(1, WireType.LengthDelimited);
  writer.uint32(1 + uint32Size(size) + size);
  writer.tag(feedbackField, WireType.LengthDelimited);
  writer.uint32(size);
  if (utterance !== 0) {
    writer.tag(1, WireType.Varint);
    writer.uint32(utterance);
  }
  if (!isZero(audioMs)) {
    writer.tag(2, WireType.Bit64);
    writer.double(audioMs);
  }
  if (begin(writer, 3, phonesSize)) writer.text(phonesJson, phonesSize);
  if (begin(writer, 4, progressJson.length)) writer.bytes(progressJson);
  if (timing) writeTiming(writer, timing, timingSize);
  writeFloat(writer, 6, ageMs);
  if (begin(writer, 7, marksSize)) for (let at = 0; at < marks.length; at += 1) writer.uint32(marks[at]!);
}

/** The feedback up to `end`, or undefined when it has what this program does not write. */
export function decodeFeedback(reader: BinaryReader, end: number): HeardFeedback | undefined {
  const feedback: HeardFeedback = {
    utterance: 0,
    audioMs: 0,
    phonesJson: '',
    marks: [],
    progressJson: empty,
    ageMs: 0,
  };
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === tags.utterance) feedback.utterance = reader.uint32();
    else if (tag === tags.audioMs) feedback.audioMs = reader.double();
    else if (tag === tags.phonesJson) feedback.phonesJson = reader.string(true);
    else if (tag === tags.progressJson) feedback.progressJson = reader.bytes();
    else if (tag === tags.ageMs) feedback.ageMs = reader.float();
    else if (tag === tags.timing && !feedback.timing) {
      const timing = readTiming(reader);
      if (!timing) return undefined;
      feedback.timing = timing;
    } else if (tag === tags.marks) {
      const size = reader.uint32();
      const until = reader.pos + size;
      while (reader.pos < until) feedback.marks.push(reader.uint32());
    } else return undefined;
  }
  return reader.pos === end ? feedback : undefined;
}

function readTiming(reader: BinaryReader): HeardFeedback['timing'] {
  const timing = { queue: 0, features: 0, asr: 0, scoring: 0 };
  const size = reader.uint32();
  const end = reader.pos + size;
  while (reader.pos < end) {
    const tag = reader.uint32();
    const name = timingNames[tag >>> 3];
    if (!name || (tag & 7) !== WireType.Bit32) return undefined;
    timing[name] = reader.float();
  }
  return timing;
}

/** Begins a field of bytes, unless there are none. */
function begin(writer: MessageWriter, field: number, size: number): boolean {
  if (size === 0) return false;
  writer.tag(field, WireType.LengthDelimited);
  writer.uint32(size);
  return true;
}

function writeFloat(writer: MessageWriter, field: number, value: number): void {
  if (isZero(value)) return;
  writer.tag(field, WireType.Bit32);
  writer.float(value);
}

function timingSizeOf({ queue = 0, features = 0, asr = 0, scoring = 0 }: SentTiming): number {
  return floatSize(queue) + floatSize(features) + floatSize(asr) + floatSize(scoring);
}

function writeTiming(
  writer: MessageWriter,
  { queue = 0, features = 0, asr = 0, scoring = 0 }: SentTiming,
  size: number,
): void {
  writer.tag(5, WireType.LengthDelimited);
  writer.uint32(size);
  writeFloat(writer, 1, queue);
  writeFloat(writer, 2, features);
  writeFloat(writer, 3, asr);
  writeFloat(writer, 4, scoring);
}

function floatSize(value: number): number {
  return isZero(value) ? 0 : 5;
}

function delimited(size: number): number {
  return size === 0 ? 0 : 1 + uint32Size(size) + size;
}

type SentTiming = NonNullable<SentFeedback['timing']>;

/** What is not written; minus zero is. */
function isZero(value: number): boolean {
  return Object.is(value, 0);
}

const tags = {
  utterance: (1 << 3) | WireType.Varint,
  audioMs: (2 << 3) | WireType.Bit64,
  phonesJson: (3 << 3) | WireType.LengthDelimited,
  progressJson: (4 << 3) | WireType.LengthDelimited,
  timing: (5 << 3) | WireType.LengthDelimited,
  ageMs: (6 << 3) | WireType.Bit32,
  marks: (7 << 3) | WireType.LengthDelimited,
} as const;

const timingNames = [undefined, 'queue', 'features', 'asr', 'scoring'] as const;
const empty = new Uint8Array(0);
const noMarks: readonly number[] = [];
