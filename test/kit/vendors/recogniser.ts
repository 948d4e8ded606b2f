import type { Ledger, UtteranceEntry } from './ledger.ts';
import type { FindScript, Script } from './script.ts';

/** A word as a vendor says it, on the clock of the whole stream. */
export type SaidWord = { text: string; startMs: number; endMs: number };

/** What a vendor has understood, to be put into its words. Times are on the clock of the whole stream. */
export type Said = {
  is: 'partial' | 'final';
  /** Why it is final: the speaker paused, the client asked, or the client is gone. */
  reason: 'endpoint' | 'asked' | 'closed';
  /** From 0, one more each final. */
  segment: number;
  /** Where the segment began, and how far it has been heard. */
  startMs: number;
  coversMs: number;
  /** Those of the segment so far. */
  words: readonly SaidWord[];
  /** To be called when the answer goes out. */
  left(atMs: number): void;
};

export type RecogniserOptions = {
  find: FindScript;
  ledger: Ledger;
  rateHz: number;
  /** An answer each so much sound; undefined: one each message of sound. */
  emitMs: number | undefined;
  /** How much sound behind a word the vendor needs to show it. */
  lagMs: number;
  /** The pause behind the last word that ends a segment; undefined: only the client does. */
  endpointMs: number | undefined;
  onSaid(said: Said): void;
  /** Speech begins, or has ended, at a place of the stream. */
  onSpeech?(state: 'began' | 'ended', atMs: number): void;
};

/**
 * Understands what a script says, at the times that it says: a word is shown when the sound to its end, and `lagMs` of what
 * follows, has been heard. One utterance is one clip: it is over when the client says so, or when its sound is.
 */
export class Recogniser {
  readonly #options: RecogniserOptions;
  #opening = new Int16Array(0);
  #script: Script | undefined;
  #entry: UtteranceEntry | undefined;
  /** Samples of the stream, and where the utterance and the segment began in it, ms. */
  #samples = 0;
  #utteranceMs = 0;
  #segmentMs = 0;
  #emittedMs = 0;
  #segment = 0;
  /** Words of the utterance that earlier segments have. */
  #told = 0;
  #isSpeaking = false;
  #isOpen = false;
  #endpointMs: number | undefined;

  constructor(options: RecogniserOptions) {
    this.#options = options;
    this.#endpointMs = options.endpointMs;
  }

  /** How much of the stream has been heard, ms. */
  get heardMs(): number {
    return (this.#samples / this.#options.rateHz) * 1000;
  }

  /** Sound heard since the last final, ms. */
  get pendingMs(): number {
    return this.heardMs - this.#segmentMs;
  }

  sound(samples: Int16Array, atMs: number): void {
    if (this.#script && this.heardMs - this.#utteranceMs >= this.#script.lengthMs - roundingMs) this.#over();
    if (!this.#entry) this.#begin();
    this.#samples += samples.length;
    this.#entry?.sound(this.heardMs - this.#utteranceMs, atMs);
    this.#isOpen = true;
    if (!this.#script) this.#look(samples);
    this.#watchSpeech();
    const { emitMs } = this.#options;
    if (this.#pauses()) this.#final('endpoint');
    else if (emitMs === undefined || this.heardMs - this.#emittedMs >= emitMs - roundingMs)
      this.#say('partial', 'asked');
  }

  /** Everything is final: the client asked, or has gone. A final comes even if nothing was heard. */
  finish(reason: 'asked' | 'closed'): void {
    this.#final(reason);
    this.#over();
  }

  /** From here on such a pause ends a segment; undefined: only the client does. */
  endAfter(pauseMs: number | undefined): void {
    this.#endpointMs = pauseMs;
  }

  /** What was heard since the last final is forgotten. */
  clear(): void {
    this.#segmentMs = this.heardMs;
    this.#over();
  }

  /** Whether the last word was said long enough ago to end the segment. */
  #pauses(): boolean {
    const { words = [], lengthMs = 0 } = this.#script ?? {};
    const last = words.at(-1);
    if (!last || this.#endpointMs === undefined || this.#told === words.length) return false;
    return this.heardMs - this.#utteranceMs >= Math.min(lengthMs, last.endMs + this.#endpointMs) - roundingMs;
  }

  #begin(): void {
    this.#entry = this.#options.ledger.utterance();
    this.#utteranceMs = this.heardMs;
    this.#opening = new Int16Array(0);
  }

  #over(): void {
    this.#script = undefined;
    this.#entry = undefined;
    this.#told = 0;
    this.#isSpeaking = false;
    this.#isOpen = false;
  }

  #look(samples: Int16Array): void {
    const opening = new Int16Array(this.#opening.length + samples.length);
    opening.set(this.#opening);
    opening.set(samples, this.#opening.length);
    this.#opening = opening;
    this.#script = this.#options.find(opening, this.#options.rateHz);
    for (const { endMs } of this.#script?.words ?? []) this.#entry?.word(endMs);
  }

  #watchSpeech(): void {
    const words = this.#script?.words ?? [];
    const placeMs = this.heardMs - this.#utteranceMs;
    const isNow = words.length > 0 && this.#told < words.length && placeMs > (words[0]?.endMs ?? 0) / 2;
    if (isNow && !this.#isSpeaking) this.#options.onSpeech?.('began', this.#utteranceMs + (words[0]?.endMs ?? 0) / 2);
    this.#isSpeaking = isNow;
  }

  #final(reason: Said['reason']): void {
    const words = this.#script?.words ?? [];
    if (this.#isSpeaking && reason === 'endpoint')
      this.#options.onSpeech?.('ended', this.#utteranceMs + (words.at(-1)?.endMs ?? 0));
    this.#say('final', reason);
    this.#segment += 1;
    this.#segmentMs = this.heardMs;
    this.#told = this.#understood(0);
    this.#isSpeaking = false;
  }

  #say(is: Said['is'], reason: Said['reason']): void {
    const isFinal = is === 'final';
    const entry = this.#isOpen ? this.#entry : undefined;
    const coversMs = this.heardMs - this.#utteranceMs;
    const words = this.#understood(isFinal ? 0 : this.#options.lagMs);
    this.#emittedMs = this.heardMs;
    this.#options.onSaid({
      is,
      reason,
      segment: this.#segment,
      startMs: this.#segmentMs,
      coversMs: this.heardMs,
      words: this.#words(words),
      left: (atMs) => entry?.answered({ coversMs, words, isFinal }, atMs),
    });
  }

  /** How many words of the utterance are understood when so much sound behind them is needed. */
  #understood(lagMs: number): number {
    const reachMs = this.heardMs - this.#utteranceMs - lagMs + roundingMs;
    return (this.#script?.words ?? []).filter(({ endMs }) => endMs <= reachMs).length;
  }

  #words(count: number): SaidWord[] {
    const words = this.#script?.words ?? [];
    return words.slice(this.#told, Math.max(count, this.#told)).map(({ text, endMs }, i) => {
      const before = words[this.#told + i - 1]?.endMs ?? Math.max(0, endMs - 300);
      return { text, startMs: this.#utteranceMs + before, endMs: this.#utteranceMs + endMs };
    });
  }
}

/** Sample counts of resampled sound are whole. */
const roundingMs = 0.5;
