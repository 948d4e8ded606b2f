import type { Distribution } from '../../src/slo/metrics.ts';

/** A distribution of these ms; Infinity for what never came. */
export function distributionOf(...samples: number[]): Distribution {
  const sorted = samples.toSorted((a, b) => a - b);
  return { samples: sorted.length, valueAtRank: (rank) => sorted[rank - 1]! };
}
