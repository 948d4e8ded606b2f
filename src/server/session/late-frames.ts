/**
 * How long to wait for a missing frame, learned from those that came late: mean plus four mean
 * deviations with gains 1/8 and 1/4, the retransmission timer of RFC 6298 section 2, held between
 * `minMs` and `maxMs`.
 */
export class LatenessEstimate {
  readonly #minMs: number;
  readonly #maxMs: number;
  #mean: number | undefined;
  #deviation = 0;

  constructor(minMs: number, maxMs: number) {
    this.#minMs = minMs;
    this.#maxMs = maxMs;
  }

  /** A missing frame came `lateMs` after it was missed, whether still in time or not. */
  observe(lateMs: number): void {
    if (this.#mean === undefined) {
      this.#mean = lateMs;
      this.#deviation = lateMs / 2;
      return;
    }
    this.#deviation += (Math.abs(lateMs - this.#mean) - this.#deviation) / 4;
    this.#mean += (lateMs - this.#mean) / 8;
  }

  waitMs(): number {
    const wanted = this.#mean === undefined ? startFactor * this.#minMs : this.#mean + 4 * this.#deviation;
    return Math.min(this.#maxMs, Math.max(this.#minMs, wanted));
  }
}

/** Before anything was late, a multiple of the least wait. */
const startFactor = 3;
