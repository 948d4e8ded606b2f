import { type SpokenText, transcriptWords } from './spoken-text.ts';
import { TranscriptAlignment } from './transcript-alignment.ts';

/**
 * What the plain transcripts of one utterance showed of its text: when each word was first shown,
 * when it was shown for good, and which words were taken back. A word is shown when the alignment
 * of the transcript with the text has all of it right.
 */
export class TextWatch {
  readonly #spoken: SpokenText;
  readonly #alignment: TranscriptAlignment;
  /** Tokens of each word. */
  readonly #sizes: readonly number[];
  readonly #firstMs: number[];
  readonly #finalMs: number[];
  #text: string | undefined;
  #tokens: readonly string[] = [];
  #settledText = '';
  #settledTokens = 0;
  #shown = 0;
  readonly #changed = new Set<number>();

  constructor(spoken: SpokenText) {
    this.#spoken = spoken;
    this.#alignment = new TranscriptAlignment(spoken.tokens);
    const sizes = spoken.endsMs.map(() => 0);
    for (const word of spoken.wordOf) sizes[word]! += 1;
    this.#sizes = sizes;
    this.#firstMs = sizes.map(() => Number.POSITIVE_INFINITY);
    this.#finalMs = sizes.map(() => Number.POSITIVE_INFINITY);
  }

  /** Places of partial transcripts at which a word has been shown. */
  get shown(): number {
    return this.#shown;
  }

  /** Places whose word changed, or went away, at least once. */
  get changed(): number {
    return this.#changed.size;
  }

  /** Words of the text. */
  get spoken(): number {
    return this.#spoken.tokens.length;
  }

  /** Words that the last transcript left out, put in or changed, were it of the whole text. */
  get errors(): number {
    return this.#alignment.errors;
  }

  /**
   * The transcript of the whole utterance so far, of which so many characters will not change.
   * `whole`: it is final. The words that are shown for the first time come back.
   */
  see(text: string, settled: number, whole: boolean, receivedMs: number): readonly number[] {
    const same = text === this.#text;
    if (same && !whole && settled <= this.#settledText.length) return none;
    if (!same) {
      const tokens = transcriptWords(text, this.#spoken);
      this.#compare(tokens, whole);
      this.#text = text;
      this.#tokens = tokens;
      this.#alignment.see(tokens);
    }
    return this.#show(this.#settled(text, whole ? text.length : settled), whole, receivedMs);
  }

  /** When the word was first shown, ms on the clock; Infinity when it never was. */
  firstMs(word: number): number {
    return this.#firstMs[word] ?? Number.POSITIVE_INFINITY;
  }

  /** When it was first shown for good. */
  finalMs(word: number): number {
    return this.#finalMs[word] ?? Number.POSITIVE_INFINITY;
  }

  /** What a final adds was in no partial transcript, but what it changes was. */
  #compare(tokens: readonly string[], whole: boolean): void {
    const before = this.#tokens;
    let at = 0;
    while (at < before.length && before[at] === tokens[at]) at++;
    for (; at < before.length; at++) if (before[at] !== tokens[at]) this.#changed.add(at);
    if (!whole) this.#shown = Math.max(this.#shown, tokens.length);
  }

  #settled(text: string, settled: number): number {
    if (settled >= text.length) return this.#tokens.length;
    const settledText = text.slice(0, settled);
    if (settledText !== this.#settledText) {
      this.#settledText = settledText;
      this.#settledTokens = transcriptWords(settledText, this.#spoken).length;
    }
    return this.#settledTokens;
  }

  #show(settledTokens: number, whole: boolean, receivedMs: number): readonly number[] {
    const { wordOf } = this.#spoken;
    const fresh: number[] = [];
    let word = -1;
    let right = 0;
    let settled = 0;
    // Tokens of one word follow one another, the last first.
    this.#alignment.right(whole, (token, at) => {
      if (wordOf[token] !== word) {
        word = wordOf[token]!;
        right = 0;
        settled = 0;
      }
      right++;
      if (at < settledTokens) settled++;
      if (right === this.#sizes[word] && this.#firstMs[word] === Number.POSITIVE_INFINITY) {
        this.#firstMs[word] = receivedMs;
        fresh.push(word);
      }
      if (settled === this.#sizes[word] && this.#finalMs[word] === Number.POSITIVE_INFINITY)
        this.#finalMs[word] = receivedMs;
    });
    return fresh;
  }
}

const none: readonly number[] = [];
