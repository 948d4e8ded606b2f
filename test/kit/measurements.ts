import {
  countNames,
  type Distribution,
  distributionNames,
  type Measurements,
  rateNames,
  shareNames,
} from '../../src/metrics/definitions.ts';

/** Every metric without a sample. */
export function emptyMeasurements(): Measurements {
  return {
    distributions: record(distributionNames, () => sorted([])),
    shares: record(shareNames, () => ({ good: 0, total: 0 })),
    rates: record(rateNames, () => ({ count: 0, of: 0 })),
    cost: undefined,
    counts: record(countNames, () => ({ count: 0, of: 0 })),
  };
}

/** A distribution from [how many, value] groups in ascending order. */
export function sorted(groups: readonly (readonly [count: number, value: number])[]): Distribution {
  const values = groups.flatMap(([count, value]) => Array<number>(count).fill(value));
  const came = values.filter(Number.isFinite);
  const meanMs = came.reduce((sum, value) => sum + value, 0) / came.length;
  const deviationMs = Math.sqrt(came.reduce((sum, value) => sum + (value - meanMs) ** 2, 0) / came.length);
  const never = values.length - came.length;
  return { samples: values.length, never, meanMs, deviationMs, valueAtRank: (rank) => values[rank - 1]! };
}

function record<N extends string, V>(names: readonly N[], make: () => V): Record<N, V> {
  return Object.fromEntries(names.map((name) => [name, make()])) as Record<N, V>;
}
