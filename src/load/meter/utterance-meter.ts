import type { PhonemeResult, WordResult } from '../../protocol/result.ts';
import type { TranscriptWord } from '../../protocol/server-messages.ts';
import { PhoneWatch } from './phoneme-watch.ts';
import type { SampleSink } from './sample-sink.ts';
import type { UtteranceScore } from './session-score.ts';
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
};

/** Measures one utterance, from its first feedback until its final. */
export class UtteranceMeter {
  readonly score: UtteranceScore;
  readonly #times: UtteranceTimes;
  readonly #sink: SampleSink;
  readonly #phones = new PhoneWatch();
  readonly #words = new WordWatch();
  #heard = false;
  #lastMs: number | undefined;

  constructor(times: UtteranceTimes, sink: SampleSink) {
    this.#times = times;
    this.#sink = sink;
    this.score = sink.utterance(times.beginMs);
  }

  feedback(phonemes: readonly PhonemeResult[], receivedMs: number): void {
    this.#gap(receivedMs);
    this.#hear(phonemes, receivedMs);
  }

  transcript(words: readonly TranscriptWord[], receivedMs: number): void {
    this.#words.see(words, receivedMs);
  }

  /** `soundMs`: when a place on the session's sample clock was due to be spoken. */
  final(words: readonly WordResult[], receivedMs: number, soundMs: (audioMs: number) => number): void {
    const phonemes = words.flatMap((word) => word.phonemes);
    for (const [place, { error_type }] of words.entries())
      if (error_type !== 'omission') this.#words.showed(place, receivedMs);
    this.#gap(receivedMs);
    this.#hear(phonemes, receivedMs);
    this.#sink.record('final_latency', this.#times.endMs, receivedMs, this.score);
    this.#phones.settle(phonemes, soundMs, (dueMs, firstMs, finalMs) => {
      this.#sink.record('phoneme_latency', dueMs, firstMs, this.score);
      this.#sink.record('phoneme_final_latency', dueMs, finalMs, this.score);
    });
    this.#close(true);
  }

  /** The text of the utterance so far, from a server that tells no phones. */
  text(text: string, receivedMs: number): void {
    this.#gap(receivedMs);
    if (text === '') return;
    if (this.#awaitsPartial) this.#sink.record('first_partial', this.#times.speechMs, receivedMs, this.score);
    this.#heard = true;
  }

  /** The same with its last words. */
  finalText(text: string, receivedMs: number): void {
    this.text(text, receivedMs);
    this.#sink.record('final_latency', this.#times.endMs, receivedMs, this.score);
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
    this.#recordWords();
    this.#sink.rated('revision_rate', beginMs, this.#phones.revised, this.#phones.shown, this.score);
    this.#sink.rated('flicker_rate', beginMs, this.#words.changed, this.#words.shown, this.score);
    this.#sink.utteranceOver(beginMs, complete && this.score.good);
  }

  /**
   * Words whose end was spoken and sent: one that the learner breaks off, or that the app holds
   * back, is not due.
   */
  #recordWords(): void {
    const { beginMs, endMs, heldBack, wordEndsMs } = this.#times;
    for (const [place, wordEndMs] of wordEndsMs.entries()) {
      const dueMs = beginMs + (wordEndMs ?? Number.POSITIVE_INFINITY);
      if (dueMs > endMs || heldBack.some(([from, to]) => dueMs > from && dueMs <= to)) continue;
      this.#sink.record('word_latency', dueMs, this.#words.firstMs(place), this.score);
    }
  }

  /** An utterance that the end of the test, or the learner, cuts short awaits no first partial. */
  get #awaitsPartial(): boolean {
    return !this.#heard && this.#times.endMs - this.#times.speechMs >= leastSpeechMs;
  }

  #hear(phonemes: readonly PhonemeResult[], receivedMs: number): void {
    if (phonemes.length > 0 && this.#awaitsPartial) {
      this.#sink.record('first_partial', this.#times.speechMs, receivedMs, this.score);
    }
    if (phonemes.length > 0) this.#heard = true;
    this.#phones.see(phonemes, receivedMs);
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

function overlap(stretches: UtteranceTimes['heldBack'], fromMs: number, toMs: number): number {
  return stretches.reduce((sum, [from, to]) => sum + Math.max(0, Math.min(to, toMs) - Math.max(from, fromMs)), 0);
}
