import {
  countNames,
  type Distribution,
  distributionNames,
  type Measurements,
  shareNames,
} from '../../src/slo/metrics.ts';

/** Every metric without a sample. */
export function emptyMeasurements(): Measurements {
  return {
    distributions: record(distributionNames, () => sorted([])),
    shares: record(shareNames, () => ({ good: 0, total: 0 })),
    counts: record(countNames, () => ({ count: 0, of: 0 })),
  };
}

/** A distribution from [how many, value] groups in ascending order. */
export function sorted(groups: readonly (readonly [count: number, value: number])[]): Distribution {
  const values = groups.flatMap(([count, value]) => Array<number>(count).fill(value));
  return { samples: values.length, valueAtRank: (rank) => values[rank - 1]! };
}

function record<N extends string, V>(names: readonly N[], make: () => V): Record<N, V> {
  return Object.fromEntries(names.map((name) => [name, make()])) as Record<N, V>;
}
