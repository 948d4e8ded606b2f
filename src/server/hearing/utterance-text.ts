import type { HearingText } from '../../backends/backend.ts';
import type { TranscriptWord } from '../../protocol/server-messages.ts';
import { defer } from '../../threads/defer.ts';
import { continueText, sharedWords, wordsOf } from './continue-text.ts';
import { SpokenSound } from './spoken-sound.ts';

/** The text of an utterance as its learner is told it. */
export type WrittenText = {
  text: string;
  /** With times, where the backend tells them; else none. */
  words: readonly TranscriptWord[];
  /** Share of the words that can no longer change. */
  stability: number;
  /** How far into the session's sound it reaches, ms of its clock; undefined: nobody said. */
  coversMs: number | undefined;
  backend: string;
};

export type UtteranceTextOptions = {
  startMs: number;
  /** What is read, for backends that look at it. */
  reference: string;
  sampleRateHz: number;
  retainedMs: number;
  onRevision(text: WrittenText): void;
  /** The sound of the utterance is over. */
  onOver(): void;
};

/**
 * The text of one utterance, whoever writes it: what one writer has settled stands when another
 * goes on, and the text that a learner sees never becomes shorter by that.
 */
export class UtteranceText {
  readonly reference: string;
  readonly sound: SpokenSound;
  readonly #options: UtteranceTextOptions;
  readonly #final = defer<WrittenText | undefined>();
  /** What earlier writers have settled. */
  #settled: readonly string[] = [];
  /** Words that have to be there before the text of a new writer is shown. */
  #least = 0;
  #latest: { words: readonly string[]; settled: number; coversMs: number | undefined } | undefined;
  #told: WrittenText | undefined;
  #isOver = false;
  #isFinal = false;
  #isGivenUp = false;
  /** The own model's name in the policy, once it writes. */
  #local: string | undefined;

  constructor(options: UtteranceTextOptions) {
    this.#options = options;
    this.reference = options.reference;
    this.sound = new SpokenSound(options.retainedMs, options.sampleRateHz);
  }

  /** Whether its sound is over. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether its last text is known, or is another's matter. */
  get isFinal(): boolean {
    return this.#isFinal;
  }

  /** Whether nobody wrote a last text: what was told before stands for it. */
  get isGivenUp(): boolean {
    return this.#isGivenUp;
  }

  /** Its sound is over; resolves with its last text, undefined where the own model writes it. */
  over(): Promise<WrittenText | undefined> {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#options.onOver();
    }
    return this.#final.promise;
  }

  /** A backend has written. */
  revise(text: HearingText, backend: string): void {
    if (this.#isFinal) return;
    const words = wordsOf(text.text);
    const settled = text.isFinal ? words.length : wordsOf(text.text.slice(0, text.settled)).length;
    this.#latest = { words, settled, coversMs: text.coversMs };
    const all = continueText(this.#settled, words);
    const isEarly = all.length < this.#least && !text.isFinal;
    if (isEarly) return;
    this.#least = 0;
    const shared = all.length - this.#settled.length - words.length;
    const standing = this.#settled.length + Math.max(0, settled + shared);
    this.#told = {
      text: this.#settled.length === 0 ? text.text : all.join(' '),
      words: this.#settled.length === 0 ? this.#timed(text) : [],
      stability: all.length === 0 ? 1 : Math.min(1, standing / all.length),
      coversMs: text.coversMs,
      backend,
    };
    if (text.isFinal) this.#end(this.#told);
    else this.#options.onRevision(this.#told);
  }

  /** Another goes on: it hears what is kept of the sound. */
  changeWriter(): void {
    if (this.#isFinal) return;
    const told = this.#told ? wordsOf(this.#told.text) : [];
    if (!this.sound.isWhole) this.#settled = told;
    else if (this.#latest) {
      const { words, settled } = this.#latest;
      const shared = sharedWords(this.#settled, words);
      this.#settled = [...this.#settled, ...words.slice(shared, Math.max(shared, settled))];
    }
    this.#latest = undefined;
    this.#least = told.length;
  }

  /** The own model writes from here on. */
  leaveToLocal(name: string): void {
    if (this.#isFinal) return;
    this.#local = name;
    this.#isFinal = true;
    this.sound.clear();
    this.#final.resolve(undefined);
  }

  /** Nobody writes any more: what was told is all there is. */
  giveUp(backend: string): void {
    const none = { text: '', words: [], stability: 1, coversMs: undefined, backend };
    if (this.#isFinal) return;
    this.#isGivenUp = true;
    this.#end(this.#told ?? none);
  }

  /**
   * What the own model reads, behind what others had settled; undefined where it does not write, or
   * has not come as far as they had.
   */
  ofLocal(words: readonly string[], isLast = false): { text: string; backend: string } | undefined {
    if (this.#local === undefined) return undefined;
    const all = continueText(this.#settled, words);
    if (all.length < this.#least && !isLast) return undefined;
    this.#least = 0;
    return { text: all.join(' '), backend: this.#local };
  }

  #end(text: WrittenText): void {
    this.#isFinal = true;
    this.sound.clear();
    this.#final.resolve({ ...text, stability: 1 });
  }

  /** Each word begins where the one before ended: that is all that backends tell. */
  #timed({ words = [] }: HearingText): TranscriptWord[] {
    let startMs = this.#options.startMs;
    const timed: TranscriptWord[] = [];
    for (const { text, endMs, isFinal } of words) {
      if (endMs === undefined || endMs < startMs) return [];
      timed.push({ word_index: -1, text, start_ms: startMs, end_ms: endMs, is_final: isFinal });
      startMs = endMs;
    }
    return timed;
  }
}
