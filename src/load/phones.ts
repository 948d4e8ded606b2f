import type { PhonemeResult } from '../scoring/result.ts';

/** When the phones of one utterance got their scores. */
export class PhoneWatch {
  readonly #firstScoreMs = new Map<number, number>();
  readonly #finalScoreMs = new Map<number, number>();

  see(phonemes: readonly PhonemeResult[], receivedMs: number): void {
    for (const phone of phonemes) {
      if (phone.accuracy === null) continue;
      if (!this.#firstScoreMs.has(phone.index)) this.#firstScoreMs.set(phone.index, receivedMs);
      if (phone.status === 'final' && !this.#finalScoreMs.has(phone.index)) {
        this.#finalScoreMs.set(phone.index, receivedMs);
      }
    }
  }

  /**
   * Once the utterance is final, and so each phone's acoustic end is known: when that end was due to be spoken, and when
   * the phone's first and its final score came, which may be before. `soundMs` is when a sound of the utterance was due.
   */
  settle(
    phonemes: readonly PhonemeResult[],
    soundMs: (audioMs: number) => number,
    onPhone: (dueMs: number, firstMs: number, finalMs: number) => void,
  ): void {
    for (const { index, end_ms } of phonemes) {
      const first = this.#firstScoreMs.get(index);
      const final = this.#finalScoreMs.get(index);
      if (first !== undefined && final !== undefined) {
        onPhone(soundMs(end_ms), first, final);
      }
    }
  }
}
