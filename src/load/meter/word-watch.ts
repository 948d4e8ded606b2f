import type { TranscriptWord } from '../../protocol/server-messages.ts';

/**
 * Which words of one utterance's partial transcripts were taken back, and when each word was first
 * shown, and shown for good. The server names words by their places in the text.
 */
export class WordWatch {
  /** The word last seen at each place; undefined when it has gone. */
  readonly #words = new Map<number, string | undefined>();
  readonly #changed = new Set<number>();
  /** ms on the clock, by place. */
  readonly #firstMs = new Map<number, number>();
  readonly #finalMs = new Map<number, number>();

  /** Places at which a word has been shown. */
  get shown(): number {
    return this.#words.size;
  }

  /** Places whose word changed, or went away, at least once. */
  get changed(): number {
    return this.#changed.size;
  }

  /** The words of one transcript, which stands for the whole utterance so far. */
  see(words: readonly TranscriptWord[], receivedMs: number): void {
    const now = new Map(words.map(({ word_index, text }) => [word_index, text]));
    for (const [place, before] of this.#words) {
      if (before !== undefined && now.get(place) !== before) this.#changed.add(place);
      if (!now.has(place)) this.#words.set(place, undefined);
    }
    for (const { word_index: place, text, is_final } of words) {
      this.#words.set(place, text);
      this.showed(place, receivedMs, is_final);
    }
  }

  /** A message showed the word at that place; `isFinal`: for good. */
  showed(place: number, receivedMs: number, isFinal: boolean): void {
    if (!this.#firstMs.has(place)) this.#firstMs.set(place, receivedMs);
    if (isFinal && !this.#finalMs.has(place)) this.#finalMs.set(place, receivedMs);
  }

  /** When the word at that place was first shown, ms on the clock; Infinity when it never was. */
  firstMs(place: number): number {
    return this.#firstMs.get(place) ?? Number.POSITIVE_INFINITY;
  }

  /** When it was first shown for good. */
  finalMs(place: number): number {
    return this.#finalMs.get(place) ?? Number.POSITIVE_INFINITY;
  }
}
