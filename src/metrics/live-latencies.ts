import type { Distribution } from './definitions.ts';
import { leastOf, slotCount, slotOf } from './hdr-slots.ts';

/**
 * Latencies since the last look: us, how many, us, how many ..., in no order; and how many more
 * never came.
 */
export type FreshLatencies = { counts: Uint32Array; never: number };

/**
 * The latencies of a test that runs, added up from what generators say is new, in the slots of
 * LatencyHistogram: to 0.1 %, as the report will have them, but in memory that is collected like
 * any other, 92 KiB a series.
 */
export class LiveLatencies implements Distribution {
  readonly #counts = new Uint32Array(slotCount);
  #came = 0;
  #never = 0;

  get samples(): number {
    return this.#came + this.#never;
  }

  get never(): number {
    return this.#never;
  }

  get meanMs(): number {
    return this.#came === 0 ? Number.NaN : this.#moment((ms) => ms) / this.#came;
  }

  get deviationMs(): number {
    const mean = this.meanMs;
    return Math.sqrt(this.#moment((ms) => (ms - mean) ** 2) / this.#came);
  }

  /** The least latency of the slot: the sample is at least this large. */
  valueAtRank(rank: number): number {
    if (rank > this.#came) return Number.POSITIVE_INFINITY;
    let seen = 0;
    let slot = -1;
    while (seen < rank) seen += this.#counts[++slot]!;
    return leastOf(slot) / 1000;
  }

  add({ counts, never }: FreshLatencies): void {
    for (let i = 0; i < counts.length; i += 2) {
      this.#counts[slotOf(counts[i]!)]! += counts[i + 1]!;
      this.#came += counts[i + 1]!;
    }
    this.#never += never;
  }

  merge(other: LiveLatencies): void {
    for (let slot = 0; slot < slotCount; slot++) this.#counts[slot]! += other.#counts[slot]!;
    this.#came += other.#came;
    this.#never += other.#never;
  }

  #moment(of: (ms: number) => number): number {
    let sum = 0;
    for (let slot = 0; slot < slotCount; slot++) {
      const count = this.#counts[slot]!;
      if (count > 0) sum += count * of(leastOf(slot) / 1000);
    }
    return sum;
  }
}
