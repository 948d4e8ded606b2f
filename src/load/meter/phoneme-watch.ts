import type { ErrorType, PhonemeResult } from '../../protocol/result.ts';

/** `accuracy` and `errorType`: as it was first shown. */
type Seen = {
  firstMs: number;
  finalMs: number | undefined;
  accuracy: number;
  errorType: ErrorType;
  revised: boolean;
};

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
    for (const { index, accuracy, error_type: errorType, status } of phonemes) {
      if (accuracy === null) continue;
      let seen = this.#phones.get(index);
      if (!seen) {
        seen = { firstMs: receivedMs, finalMs: undefined, accuracy, errorType, revised: false };
        this.#phones.set(index, seen);
      }
      if (seen.accuracy !== accuracy || seen.errorType !== errorType) seen.revised = true;
      if (status === 'final') seen.finalMs ??= receivedMs;
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
