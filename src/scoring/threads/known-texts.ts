import { countPhones, type Reference, type ReferenceSource, resolveReference } from '../text/reference.ts';

/**
 * Texts that were read before: to find the pronunciations of 500 words takes 10 ms, and a class
 * reads the same page. What was asked for longest ago goes first. A text's size is its letters and
 * its phones.
 */
export class KnownTexts {
  readonly #mostSize: number;
  readonly #texts = new Map<string, { reference: Reference; size: number }>();
  #size = 0;

  constructor(mostSize = hundredPages) {
    this.#mostSize = mostSize;
  }

  /**
   * The same reference for the same source as long as it is known.
   *
   * @throws SpeechfbError `invalid_reference`, as `resolveReference` does.
   */
  read(source: ReferenceSource, mostPhones: number, check: (reference: Reference) => void): Reference {
    const key = 'text' in source ? source.text : JSON.stringify(source.words);
    const known = this.#texts.get(key);
    if (known && countPhones(known.reference) <= mostPhones) {
      this.#texts.delete(key);
      this.#texts.set(key, known);
      return known.reference;
    }
    const reference = resolveReference(source, mostPhones);
    check(reference);
    this.#add(key, reference);
    return reference;
  }

  #add(key: string, reference: Reference): void {
    const size = key.length + countPhones(reference);
    this.#texts.set(key, { reference, size });
    this.#size += size;
    for (const [oldest, text] of this.#texts) {
      if (this.#size <= this.#mostSize) break;
      this.#texts.delete(oldest);
      this.#size -= text.size;
    }
  }
}

/** Letters and phones of the texts that are remembered. */
const hundredPages = 700_000;
