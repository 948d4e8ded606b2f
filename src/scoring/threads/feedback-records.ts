import type { Deviation } from '../../protocol/result.ts';
import type { MailRecord, ThreadLink } from '../../threads/thread-link.ts';
import type { Reference } from '../text/reference.ts';
import type { BegunWord, Feedback, Progress } from '../utterance-scorer.ts';
import { type FeedbackTimes, fromScoringKinds } from './messages.ts';

/**
 * Writes a feedback of the utterance `id` as one record: numbers, then the text of its phones.
 * False, and nothing is written, where it does not fit into one.
 */
export function writeFeedback(
  link: ThreadLink,
  id: number,
  { phones, progress, timing, audioMs }: Feedback,
  { sentMs, saidMs }: FeedbackTimes,
): boolean {
  if (progress?.deviations.some((deviation) => deviation.phonemes)) return false;
  const words = progress ? progress.words.length : noProgress;
  const deviations = progress?.deviations.length ?? 0;
  const numbers = headFields + phones.marks.length + wordFields * Math.max(0, words) + deviationFields * deviations;
  const textBytes = Buffer.byteLength(phones.text);
  if (8 * numbers + textBytes > link.largestBytes) return false;
  const at = link.begin(fromScoringKinds.feedback, 8 * numbers + textBytes);
  const { float64, bytes } = link.memory;
  let next = at / 8;
  float64[next++] = id;
  float64[next++] = sentMs;
  float64[next++] = saidMs;
  float64[next++] = audioMs;
  float64[next++] = timing.queue ?? 0;
  float64[next++] = timing.features ?? 0;
  float64[next++] = timing.asr ?? 0;
  float64[next++] = timing.scoring ?? 0;
  float64[next++] = phones.marks.length;
  float64[next++] = words;
  float64[next++] = deviations;
  float64[next++] = phones.text.length;
  float64[next++] = textBytes;
  for (const mark of phones.marks) float64[next++] = mark;
  if (progress) writeProgress(float64, next, progress);
  const textAt = at + 8 * numbers;
  bytes.write(phones.text, textAt, textBytes, encodingOf(textBytes, phones.text.length));
  link.commit();
  return true;
}

/**
 * What `writeFeedback` wrote.
 *
 * @param referenceOf The text of an utterance, or undefined when it is over: its feedback is too.
 */
export function readFeedback(
  { at, memory: { float64, bytes } }: MailRecord,
  referenceOf: (id: number) => Reference | undefined,
): { id: number; feedback: Feedback | undefined } & FeedbackTimes {
  const head = at / 8;
  const [id, sentMs, saidMs] = [float64[head]!, float64[head + 1]!, float64[head + 2]!];
  const reference = referenceOf(id);
  if (!reference) return { id, sentMs, saidMs, feedback: undefined };
  const [markCount, words, deviations] = [float64[head + 8]!, float64[head + 9]!, float64[head + 10]!];
  const marks: number[] = [];
  for (let i = 0; i < markCount; i++) marks.push(float64[head + headFields + i]!);
  const progressAt = head + headFields + markCount;
  const textAt = 8 * (progressAt + wordFields * Math.max(0, words) + deviationFields * deviations);
  const textBytes = float64[head + 12]!;
  const text = bytes.toString(encodingOf(textBytes, float64[head + 11]!), textAt, textAt + textBytes);
  const feedback: Feedback = {
    audioMs: float64[head + 3]!,
    phones: { text, marks },
    timing: {
      queue: float64[head + 4]!,
      features: float64[head + 5]!,
      asr: float64[head + 6]!,
      scoring: float64[head + 7]!,
    },
  };
  if (words !== noProgress) feedback.progress = readProgress(float64, progressAt, words, deviations, reference);
  return { id, sentMs, saidMs, feedback };
}

/** ASCII, as most alphabets of phones are, is read and written in half the time as Latin-1. */
function encodingOf(bytes: number, characters: number): 'latin1' | 'utf8' {
  return bytes === characters ? 'latin1' : 'utf8';
}

function writeProgress(float64: Float64Array, at: number, { words, deviations }: Progress): void {
  let next = at;
  for (const { wordIndex, startMs, endMs, isFinal } of words) {
    float64[next++] = wordIndex;
    float64[next++] = startMs;
    float64[next++] = endMs;
    float64[next++] = isFinal ? 1 : 0;
  }
  for (const { kind, first_word, last_word, start_ms, end_ms } of deviations) {
    float64[next++] = deviationKinds.indexOf(kind);
    float64[next++] = first_word;
    float64[next++] = last_word;
    float64[next++] = start_ms;
    float64[next++] = end_ms;
  }
}

function readProgress(
  float64: Float64Array,
  at: number,
  wordCount: number,
  deviationCount: number,
  reference: Reference,
): Progress {
  let next = at;
  const words: BegunWord[] = [];
  for (let i = 0; i < wordCount; i++, next += wordFields) {
    const wordIndex = float64[next]!;
    words.push({
      wordIndex,
      text: reference.words[wordIndex]!.text,
      startMs: float64[next + 1]!,
      endMs: float64[next + 2]!,
      isFinal: float64[next + 3] === 1,
    });
  }
  const deviations: Deviation[] = [];
  for (let i = 0; i < deviationCount; i++, next += deviationFields) {
    deviations.push({
      kind: deviationKinds[float64[next]!]!,
      first_word: float64[next + 1]!,
      last_word: float64[next + 2]!,
      start_ms: float64[next + 3]!,
      end_ms: float64[next + 4]!,
    });
  }
  return { words, deviations };
}

const deviationKinds: readonly Deviation['kind'][] = ['skipped', 'repeated', 'other_words', 'inserted'];
/** The count of words of a feedback without progress. */
const noProgress = -1;
const headFields = 13;
const wordFields = 4;
const deviationFields = 5;
