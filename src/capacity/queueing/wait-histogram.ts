import { quantileRank } from '../../stats/quantile.ts';

/** How long streams waited: 1 % resolution above 1 ms, at constant memory for any number of streams. */
export type WaitHistogram = {
  record(waitMs: number): void;
  /** A stream that ended without ever being served. */
  recordNever(): void;
  count(): number;
  never(): number;
  /** The p-quantile in ms, the upper edge of its bucket; Infinity when it was never served; 0 of none. */
  quantileMs(p: number): number;
};

export function createWaitHistogram(): WaitHistogram {
  const buckets = new Float64Array(2600);
  let [none, never, total] = [0, 0, 0];
  return {
    record(waitMs) {
      total++;
      if (waitMs <= 0) none++;
      else buckets[Math.min(buckets.length - 1, Math.max(0, Math.ceil(Math.log(waitMs) / logStep)))]!++;
    },
    recordNever() {
      total++;
      never++;
    },
    count: () => total,
    never: () => never,
    quantileMs(p) {
      if (total === 0) return 0;
      const rank = quantileRank(total, p);
      if (rank <= none) return 0;
      let below = none;
      for (let i = 0; i < buckets.length; i++) {
        below += buckets[i]!;
        if (below >= rank) return Math.exp(i * logStep);
      }
      return Number.POSITIVE_INFINITY;
    },
  };
}

const logStep = Math.log(1.01);
