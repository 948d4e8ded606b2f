import { quantileRank } from '../../stats/quantile.ts';

/**
 * How long streams waited: 1 % resolution above 1 ms, at constant memory for any number of streams.
 */
export class WaitHistogram {
  readonly #buckets = new Float64Array(2600);
  #none = 0;
  #never = 0;
  #total = 0;

  record(waitMs: number, streams = 1): void {
    this.#total += streams;
    if (waitMs <= 0) this.#none += streams;
    else
      this.#buckets[Math.min(this.#buckets.length - 1, Math.max(0, Math.ceil(Math.log(waitMs) / logStep)))]! += streams;
  }

  /** Streams that ended without ever being served. */
  recordNever(streams = 1): void {
    this.#total += streams;
    this.#never += streams;
  }

  count(): number {
    return this.#total;
  }

  never(): number {
    return this.#never;
  }

  /**
   * The p-quantile in ms, the upper edge of its bucket; Infinity when it was never served; 0 of
   * none.
   */
  quantileMs(p: number): number {
    if (this.#total === 0) return 0;
    const rank = quantileRank(this.#total, p);
    if (rank <= this.#none) return 0;
    let below = this.#none;
    for (let i = 0; i < this.#buckets.length; i++) {
      below += this.#buckets[i]!;
      if (below >= rank) return Math.exp(i * logStep);
    }
    return Number.POSITIVE_INFINITY;
  }
}

const logStep = Math.log(1.01);
