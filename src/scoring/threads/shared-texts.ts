import { countPhones, type Reference } from '../text/reference.ts';

/**
 * The texts that a scoring thread has. Utterances of one text share it, and its graph there; one
 * that nobody reads at the moment stays until others have taken its room, so that the next reader
 * finds it.
 */
export class SharedTexts {
  readonly #mostIdlePhones: number;
  readonly #held = new Map<Reference, SharedText>();
  /** Texts without a reader, the one that was read longest ago first. */
  readonly #idle = new Map<Reference, SharedText>();
  #idlePhones = 0;
  #nextKey = 0;
  #forgotten: number[] = [];

  /** @param mostIdlePhones of the texts that nobody reads. */
  constructor(mostIdlePhones: number) {
    this.#mostIdlePhones = mostIdlePhones;
  }

  /** Adds a reader; `isNew`: the thread does not have this text yet. */
  hold(reference: Reference): { key: number; isNew: boolean } {
    const known = this.#held.get(reference) ?? this.#idle.get(reference);
    const text = known ?? { key: this.#nextKey++, phones: countPhones(reference), readers: 0 };
    if (this.#idle.delete(reference)) this.#idlePhones -= text.phones;
    text.readers++;
    this.#held.set(reference, text);
    return { key: text.key, isNew: known === undefined };
  }

  /** A reader is done. */
  release(reference: Reference): void {
    const text = this.#held.get(reference);
    if (!text || --text.readers > 0) return;
    this.#held.delete(reference);
    this.#idle.set(reference, text);
    this.#idlePhones += text.phones;
    for (const [oldest, { key, phones }] of this.#idle) {
      if (this.#idlePhones <= this.#mostIdlePhones) break;
      this.#idle.delete(oldest);
      this.#idlePhones -= phones;
      this.#forgotten.push(key);
    }
  }

  /** Keys of texts that have gone since the last call: the thread is to forget them. */
  takeForgotten(): number[] {
    const taken = this.#forgotten;
    if (taken.length > 0) this.#forgotten = [];
    return taken;
  }
}

type SharedText = { key: number; phones: number; readers: number };
