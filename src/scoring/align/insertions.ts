import type { Deviation, InsertedPhone } from '../../protocol/result.ts';
import type { Segment } from './aligner.ts';
import { extraSounds, type ReadPhone } from './extra-sounds.ts';
import { FreeHearing, type HeardPhone } from './free-hearing.ts';
import type { Alphabet, Graph } from './graph.ts';

/**
 * Follows what is heard and what of the text is read, and says at the end which sounds the text
 * does not have.
 */
export class InsertionWatch {
  readonly #phones: readonly string[];
  readonly #strideMs: number;
  readonly #hearing: FreeHearing;
  readonly #read: ReadPhone[] = [];

  constructor({ phones, silence, strideMs }: Alphabet & { strideMs: number }) {
    this.#phones = phones;
    this.#strideMs = strideMs;
    this.#hearing = new FreeHearing(phones.length, phones.indexOf(silence));
  }

  /** One frame: a log-posterior for each phone of the model, from `offset` on. */
  hear(logPosterior: Float32Array, offset: number): void {
    this.#hearing.add(logPosterior, offset);
  }

  /** A frame whose sound was lost. */
  lost(): void {
    this.#hearing.skip();
  }

  /** A phone of the text, where it was read. */
  read({ emission, word }: Graph, { state, start, end }: Segment): void {
    this.#read.push({ column: emission[state]!, word: word[state]!, start, end });
  }

  /**
   * When all is over: says of other words what they sounded like, and adds the sounds that nothing
   * has reported.
   */
  report(deviations: Deviation[], words: number): void {
    const heard = this.#hearing.phones();
    const unreported = this.#report(
      heard,
      deviations.filter(({ kind }) => kind === 'other_words'),
    );
    for (const { phones, word } of extraSounds(unreported, this.#read, words)) {
      const phonemes = phones.map((phone) => this.#inserted(phone));
      const [start_ms, end_ms] = [phonemes[0]!.start_ms, phonemes.at(-1)!.end_ms];
      deviations.push({ kind: 'inserted', first_word: word, last_word: word, start_ms, end_ms, phonemes });
    }
  }

  /**
   * Says of other words what was heard in them; returns what was heard outside them. Both are in
   * order of time: an hour of speech without the text has thousands of each.
   */
  #report(heard: readonly HeardPhone[], others: readonly Deviation[]): HeardPhone[] {
    const within: InsertedPhone[][] = others.map(() => []);
    let first = 0;
    const outside = heard.filter((phone) => {
      const [startMs, endMs] = [phone.start * this.#strideMs, phone.end * this.#strideMs];
      while (first < others.length && others[first]!.end_ms <= startMs) first++;
      let at = first;
      for (; at < others.length && others[at]!.start_ms < endMs; at++) within[at]!.push(this.#inserted(phone));
      return at === first;
    });
    for (const [at, other] of others.entries()) other.phonemes = within[at]!;
    return outside;
  }

  #inserted({ column, start, end, belief }: HeardPhone): InsertedPhone {
    return {
      phoneme: this.#phones[column]!,
      start_ms: start * this.#strideMs,
      end_ms: end * this.#strideMs,
      confidence: Math.round(belief * 1000) / 1000,
      error_type: 'insertion',
    };
  }
}
