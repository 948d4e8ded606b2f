import type { Deviation, PhonemeResult, WordResult } from '../../protocol/result.ts';
import type { TranscriptWord } from '../../protocol/server-messages.ts';
import { PhoneWatch } from './phoneme-watch.ts';
import type { SampleSink } from './sample-sink.ts';
import type { UtteranceScore } from './session-score.ts';
import type { SpokenText } from './spoken-text.ts';
import { TextWatch } from './text-watch.ts';
import { WordWatch } from './word-watch.ts';

/** When an utterance was due, ms on the clock. */
export type UtteranceTimes = {
  beginMs: number;
  /** When the utterance's speech begins. */
  speechMs: number;
  endMs: number;
  /** Stretches whose sound the app held back. */
  heldBack: readonly (readonly [fromMs: number, toMs: number])[];
  /**
   * Where each word of the text ends, from `beginMs`; undefined for one that is not read. Empty
   * where nobody knows.
   */
  wordEndsMs: readonly (number | undefined)[];
  /** All of the recording is spoken: the learner neither breaks off nor leaves before its end. */
  whole: boolean;
};

/** An utterance's text of a server that names no words by their places. */
export type ShownText = {
  is: 'partial' | 'final';
  /** The whole text of the utterance so far. */
  text: string;
  /** How much of `text`, from its beginning, will not change any more, in characters. */
  settled: number;
};

/** Measures one utterance, from its first feedback until its final. */
export class UtteranceMeter {
  readonly score: UtteranceScore;
  readonly #times: UtteranceTimes;
  readonly #sink: SampleSink;
  readonly #phones = new PhoneWatch();
  /** The words of a server that names them by their places, or those of plain transcripts. */
  readonly #words: WordWatch | undefined;
  readonly #texts: TextWatch | undefined;
  #heard = false;
  #lastMs: number | undefined;

  /** `text`: what is read, where the server's transcripts are plain text. */
  constructor(times: UtteranceTimes, sink: SampleSink, text?: SpokenText) {
    this.#times = times;
    this.#sink = sink;
    this.#words = text ? undefined : new WordWatch();
    this.#texts = text && new TextWatch(text);
    this.score = sink.utterance(times.beginMs);
  }

  /** When its final is due, ms on the clock. */
  get endMs(): number {
    return this.#times.endMs;
  }

  feedback(phonemes: readonly PhonemeResult[], receivedMs: number): void {
    this.#gap(receivedMs);
    this.#hear(phonemes, receivedMs);
  }

  transcript(words: readonly TranscriptWord[], receivedMs: number): void {
    // Words of another backend than the own model have no places in the text.
    if (words[0]?.word_index !== -1) this.#words?.see(words, receivedMs);
  }

  /** A plain transcript; `onWord`: a word was due then, and is shown for the first time. */
  text({ is, text, settled }: ShownText, receivedMs: number, onWord?: (dueMs: number) => void): void {
    const whole = is === 'final';
    const fresh = this.#texts?.see(text, settled, whole, receivedMs) ?? [];
    this.#gap(receivedMs);
    if (text.trim() !== '') this.#hearSpeech(receivedMs);
    for (const word of onWord ? fresh : []) {
      const dueMs = this.#wordDueMs(word);
      if (dueMs !== undefined) onWord!(dueMs);
    }
    if (!whole) return;
    this.#sink.record('final_latency', this.#times.endMs, receivedMs, this.score);
    if (this.#texts && this.#times.whole) this.#wrong(this.#texts.errors, this.#texts.spoken);
    this.#close(true);
  }

  /** `soundMs`: when a place on the session's sample clock was due to be spoken. */
  final(
    { words, deviations }: { words: readonly WordResult[]; deviations: readonly Deviation[] },
    receivedMs: number,
    soundMs: (audioMs: number) => number,
  ): void {
    const phonemes = words.flatMap((word) => word.phonemes);
    for (const [place, { error_type }] of words.entries())
      if (error_type !== 'omission') this.#words?.showed(place, receivedMs, true);
    this.#countWrong(words, deviations);
    this.#gap(receivedMs);
    this.#hear(phonemes, receivedMs);
    this.#sink.record('final_latency', this.#times.endMs, receivedMs, this.score);
    this.#phones.settle(phonemes, soundMs, (dueMs, firstMs, finalMs) => {
      this.#sink.record('phoneme_latency', dueMs, firstMs, this.score);
      this.#sink.record('phoneme_final_latency', dueMs, finalMs, this.score);
    });
    this.#close(true);
  }

  /** Counts the final as missed: it will not come. */
  end(): void {
    this.#sink.never('final_latency', this.#times.endMs, this.score);
    if (this.#awaitsPartial) this.#sink.never('first_partial', this.#times.speechMs, this.score);
    if (this.#lastMs !== undefined) this.#sink.never('partial_gap', this.#lastMs, this.score);
    this.#close(false);
  }

  #close(complete: boolean): void {
    const { beginMs } = this.#times;
    const words = this.#words ?? this.#texts!;
    this.#recordWords(words);
    this.#sink.rated('revision_rate', beginMs, this.#phones.revised, this.#phones.shown, this.score);
    this.#sink.rated('flicker_rate', beginMs, words.changed, words.shown, this.score);
    this.#sink.utteranceOver(beginMs, complete && this.score.good);
  }

  #recordWords(words: WordWatch | TextWatch): void {
    for (const place of this.#times.wordEndsMs.keys()) {
      const dueMs = this.#wordDueMs(place);
      if (dueMs === undefined) continue;
      this.#sink.record('word_latency', dueMs, words.firstMs(place), this.score);
      this.#sink.record('word_final_latency', dueMs, words.finalMs(place), this.score);
    }
  }

  /**
   * When the end of a word was spoken and sent: one that the learner breaks off, or that the app
   * holds back, is not due.
   */
  #wordDueMs(place: number): number | undefined {
    const { beginMs, endMs, heldBack, wordEndsMs } = this.#times;
    const dueMs = beginMs + (wordEndsMs[place] ?? Number.POSITIVE_INFINITY);
    return dueMs > endMs || heldBack.some(([from, to]) => dueMs > from && dueMs <= to) ? undefined : dueMs;
  }

  /**
   * Words that a final calls left out, though they were read, or has although they were not; of
   * what was said beside the text, as many as were repeated, and one where other words were heard.
   */
  #countWrong(words: readonly WordResult[], deviations: readonly Deviation[]): void {
    const { wordEndsMs, whole } = this.#times;
    if (!whole) return;
    const wasRead = (place: number) => wordEndsMs.length === 0 || wordEndsMs[place] !== undefined;
    const spoken = words.filter((_, place) => wasRead(place)).length;
    const taken = words.filter(({ error_type }, place) => (error_type === 'omission') === wasRead(place)).length;
    const beside = deviations.reduce((sum, one) => sum + wordsBeside(one), 0);
    this.#wrong(taken + beside, spoken);
  }

  #wrong(errors: number, spoken: number): void {
    this.#sink.rated('wer', this.#times.beginMs, errors, spoken, this.score);
  }

  /** An utterance that the end of the test, or the learner, cuts short awaits no first partial. */
  get #awaitsPartial(): boolean {
    return !this.#heard && this.#times.endMs - this.#times.speechMs >= leastSpeechMs;
  }

  #hear(phonemes: readonly PhonemeResult[], receivedMs: number): void {
    if (phonemes.length > 0) this.#hearSpeech(receivedMs);
    this.#phones.see(phonemes, receivedMs);
  }

  #hearSpeech(receivedMs: number): void {
    if (this.#awaitsPartial) this.#sink.record('first_partial', this.#times.speechMs, receivedMs, this.score);
    this.#heard = true;
  }

  #gap(receivedMs: number): void {
    if (this.#lastMs !== undefined) {
      const heldBackMs = overlap(this.#times.heldBack, this.#lastMs, receivedMs);
      this.#sink.record('partial_gap', this.#lastMs, receivedMs - heldBackMs, this.score);
    }
    this.#lastMs = receivedMs;
  }
}

const leastSpeechMs = 500;

function wordsBeside({ kind, first_word, last_word }: Deviation): number {
  if (kind === 'repeated') return last_word - first_word + 1;
  return kind === 'other_words' ? 1 : 0;
}

function overlap(stretches: UtteranceTimes['heldBack'], fromMs: number, toMs: number): number {
  return stretches.reduce((sum, [from, to]) => sum + Math.max(0, Math.min(to, toMs) - Math.max(from, fromMs)), 0);
}
