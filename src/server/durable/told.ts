import type { Replay } from '../../protocol/client-messages.ts';
import { eachPhone, joinPhones, type WrittenPhones } from '../../protocol/written-phones.ts';

/**
 * What a client was told of an utterance by another gateway: it is not told again. Scores do not
 * depend on how sound was cut, so that what is left out is what it has.
 */
export class Told {
  /** Up to where on the session's clock it has feedback, ms. */
  readonly audioMs: number;
  /** The highest revision that it has seen. */
  readonly rev: number;
  /** Whether it has everything. */
  readonly isFinal: boolean;
  readonly #finals: ReadonlySet<number>;

  constructor({ audio_ms, rev, finals, is_final = false }: Replay['told'][number]) {
    this.audioMs = audio_ms;
    this.rev = rev;
    this.isFinal = is_final;
    const known = new Set<number>();
    for (const [first, last] of finals) for (let index = first; index <= last; index += 1) known.add(index);
    this.#finals = known;
  }

  /** What is news of a feedback that covers the sound up to `audioMs`. */
  newsOf(phones: WrittenPhones, audioMs: number): WrittenPhones {
    const isReplay = audioMs <= this.audioMs;
    const { marks } = phones;
    let isAllNews = !isReplay;
    for (let at = 0; isAllNews && at < marks.length; at += 3) isAllNews = !this.#finals.has(marks[at]!);
    if (isAllNews) return phones;
    return joinPhones(
      eachPhone(phones).filter(({ index, isFinal }) => !this.#finals.has(index) && (isFinal || !isReplay)),
    );
  }
}
