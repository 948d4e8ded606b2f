import type { Distribution } from '../../src/metrics/definitions.ts';

/** A distribution of these ms; Infinity for what never came. */
export function distributionOf(...samples: number[]): Distribution {
  const sorted = samples.toSorted((a, b) => a - b);
  const came = sorted.filter(Number.isFinite);
  const mean = came.reduce((sum, value) => sum + value, 0) / came.length;
  return {
    samples: sorted.length,
    never: sorted.length - came.length,
    meanMs: mean,
    deviationMs: Math.sqrt(came.reduce((sum, value) => sum + (value - mean) ** 2, 0) / came.length),
    valueAtRank: (rank) => sorted[rank - 1]!,
  };
}
