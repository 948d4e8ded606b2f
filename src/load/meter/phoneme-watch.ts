import type { PhonemeResult } from '../../protocol/result.ts';

type Seen = { firstMs: number; finalMs: number | undefined; published: string; revised: boolean };

/** When the phones of one utterance got their scores, and which scores were revised. */
export class PhoneWatch {
  readonly #phones = new Map<number, Seen>();

  /** Phones that had a score. */
  get shown(): number {
    return this.#phones.size;
  }

  /** Phones whose score or verdict changed after it was first shown. */
  get revised(): number {
    let count = 0;
    for (const { revised } of this.#phones.values()) if (revised) count++;
    return count;
  }

  see(phonemes: readonly PhonemeResult[], receivedMs: number): void {
    for (const phone of phonemes) {
      if (phone.accuracy === null) continue;
      const published = `${phone.accuracy} ${phone.error_type}`;
      let seen = this.#phones.get(phone.index);
      if (!seen) {
        seen = { firstMs: receivedMs, finalMs: undefined, published, revised: false };
        this.#phones.set(phone.index, seen);
      }
      if (seen.published !== published) seen.revised = true;
      if (phone.status === 'final') seen.finalMs ??= receivedMs;
    }
  }

  /**
   * Once the utterance is final, and so each phone's acoustic end is known: when that end was due
   * to be spoken, and when the phone's first and its final score came, which may be before.
   * `soundMs` is when a sound of the utterance was due.
   */
  settle(
    phonemes: readonly PhonemeResult[],
    soundMs: (audioMs: number) => number,
    onPhone: (dueMs: number, firstMs: number, finalMs: number) => void,
  ): void {
    for (const { index, end_ms } of phonemes) {
      const seen = this.#phones.get(index);
      if (seen?.finalMs !== undefined) onPhone(soundMs(end_ms), seen.firstMs, seen.finalMs);
    }
  }
}
