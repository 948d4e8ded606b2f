import type { Deviation, ErrorType, PhonemeResult } from '../../protocol/result.ts';
import type { MailRecord, ThreadLink } from '../../threads/thread-link.ts';
import type { Reference } from '../text/reference.ts';
import type { BegunWord, Feedback, Progress } from '../utterance-scorer.ts';
import { type FeedbackTimes, fromScoringKinds } from './messages.ts';

/** Feedback as numbers: both ends know the model's phones by their places. */
export class FeedbackRecords {
  readonly #phones: readonly string[];
  readonly #places: ReadonlyMap<string, number>;

  /** @param phones Every name that a feedback may say. */
  constructor(phones: readonly string[]) {
    this.#phones = phones;
    this.#places = new Map(phones.map((phone, place) => [phone, place]));
  }

  /** Writes one record; false, and nothing, where a feedback does not fit into one. */
  write(link: ThreadLink, id: number, feedback: Feedback, { sentMs, saidMs }: FeedbackTimes): boolean {
    const { phonemes, progress, timing, audioMs } = feedback;
    if (progress?.deviations.some((deviation) => deviation.phonemes)) return false;
    const likely = phonemes.reduce((count, phone) => count + phone.nbest.length, 0);
    const words = progress?.words.length ?? 0;
    const deviations = progress?.deviations.length ?? 0;
    const count = headFields + phoneFields * phonemes.length + likelyFields * likely;
    const bytes = 8 * (count + wordFields * words + deviationFields * deviations);
    if (bytes > link.largestBytes) return false;
    const at = link.begin(fromScoringKinds.feedback, bytes);
    const out = new Cursor(link.memory.float64, at / 8);
    out.put(id, sentMs, saidMs, audioMs);
    out.put(timing.queue ?? 0, timing.features ?? 0, timing.asr ?? 0, timing.scoring ?? 0);
    out.put(phonemes.length, progress ? words : nothingNew, deviations);
    for (const phone of phonemes) this.#writePhone(out, phone);
    if (progress) writeProgress(out, progress);
    link.commit();
    return true;
  }

  /**
   * What `write` wrote.
   *
   * @param referenceOf The text of an utterance, or undefined when it is over.
   */
  read(
    { at, memory }: MailRecord,
    referenceOf: (id: number) => Reference | undefined,
  ): { id: number; feedback: Feedback | undefined } & FeedbackTimes {
    const from = new Cursor(memory.float64, at / 8);
    const [id, sentMs, saidMs, audioMs] = [from.next(), from.next(), from.next(), from.next()];
    const reference = referenceOf(id);
    if (!reference) return { id, sentMs, saidMs, feedback: undefined };
    const timing = { queue: from.next(), features: from.next(), asr: from.next(), scoring: from.next() };
    const [phones, words, deviations] = [from.next(), from.next(), from.next()];
    const phonemes: PhonemeResult[] = [];
    for (let i = 0; i < phones; i++) phonemes.push(this.#readPhone(from));
    const feedback: Feedback = { audioMs, phonemes, timing };
    if (words !== nothingNew) feedback.progress = readProgress(from, words, deviations, reference);
    return { id, sentMs, saidMs, feedback };
  }

  #writePhone(out: Cursor, phone: PhonemeResult): void {
    out.put(phone.index, phone.word_index, this.#places.get(phone.phoneme)!, phone.start_ms, phone.end_ms);
    out.put(phone.status === 'final' ? 1 : 0, phone.gop ?? Number.NaN, phone.accuracy ?? Number.NaN);
    out.put(phone.confidence, errors.indexOf(phone.error_type), phone.nbest.length);
    for (const { phoneme, score } of phone.nbest) out.put(this.#places.get(phoneme)!, score);
  }

  #readPhone(from: Cursor): PhonemeResult {
    return {
      index: from.next(),
      word_index: from.next(),
      phoneme: this.#phones[from.next()]!,
      start_ms: from.next(),
      end_ms: from.next(),
      status: from.next() === 1 ? 'final' : 'provisional',
      gop: numberOrNull(from.next()),
      accuracy: numberOrNull(from.next()),
      confidence: from.next(),
      error_type: errors[from.next()]!,
      nbest: this.#readLikely(from),
    };
  }

  #readLikely(from: Cursor): PhonemeResult['nbest'] {
    const likely: { phoneme: string; score: number }[] = [];
    for (let left = from.next(); left > 0; left--) {
      likely.push({ phoneme: this.#phones[from.next()]!, score: from.next() });
    }
    return likely;
  }
}

function writeProgress(out: Cursor, { words, deviations }: Progress): void {
  for (const word of words) out.put(word.wordIndex, word.startMs, word.endMs, word.isFinal ? 1 : 0);
  for (const { kind, first_word, last_word, start_ms, end_ms } of deviations) {
    out.put(deviationKinds.indexOf(kind), first_word, last_word, start_ms, end_ms);
  }
}

function readProgress(from: Cursor, wordCount: number, deviationCount: number, reference: Reference): Progress {
  const words: BegunWord[] = [];
  for (let i = 0; i < wordCount; i++) {
    const wordIndex = from.next();
    const { text } = reference.words[wordIndex]!;
    words.push({ wordIndex, text, startMs: from.next(), endMs: from.next(), isFinal: from.next() === 1 });
  }
  const deviations: Deviation[] = [];
  for (let i = 0; i < deviationCount; i++) {
    deviations.push({
      kind: deviationKinds[from.next()]!,
      first_word: from.next(),
      last_word: from.next(),
      start_ms: from.next(),
      end_ms: from.next(),
    });
  }
  return { words, deviations };
}

/** A place in numbers that moves on. */
class Cursor {
  readonly #numbers: Float64Array;
  #at: number;

  constructor(numbers: Float64Array, at: number) {
    this.#numbers = numbers;
    this.#at = at;
  }

  put(...values: readonly number[]): void {
    for (const value of values) this.#numbers[this.#at++] = value;
  }

  next(): number {
    return this.#numbers[this.#at++]!;
  }
}

function numberOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

const errors: readonly ErrorType[] = ['none', 'substitution', 'omission', 'insertion', 'unscored'];
const deviationKinds: readonly Deviation['kind'][] = ['skipped', 'repeated', 'other_words', 'inserted'];
/** Words of a feedback without progress. */
const nothingNew = -1;
const headFields = 11;
const phoneFields = 11;
const likelyFields = 2;
const wordFields = 4;
const deviationFields = 5;
