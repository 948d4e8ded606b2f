import { type Clusters, pickClusters } from './clusters.ts';

/**
 * Traces as a budget sees them, column by column: one value a trace in each array, ms. A feedback
 * that never came has the total Infinity: it counts in the percentile and is in no decomposition.
 */
export type Sample = {
  n: number;
  /** A budget stage each, in the budget's order. */
  stages: readonly { name: string; ms: Float64Array }[];
  /** What no stage claims: total minus stages. Negative where stages overlap. */
  unattributed: Float64Array;
  totals: Float64Array;
  /** Undefined: each trace is taken as a session of its own. */
  clusters?: Clusters | undefined;
};

/** The traces at `indices`, in that order. */
export function pick(sample: Sample, indices: ArrayLike<number>): Sample {
  const gather = (from: Float64Array) => {
    const to = new Float64Array(indices.length);
    for (let i = 0; i < to.length; i++) to[i] = from[indices[i]!]!;
    return to;
  };
  return {
    n: indices.length,
    stages: sample.stages.map(({ name, ms }) => ({ name, ms: gather(ms) })),
    unattributed: gather(sample.unattributed),
    totals: gather(sample.totals),
    clusters: pickClusters(sample.clusters, indices),
  };
}

/** A sample from stage columns; the total is the sum of the stages and `unattributed`. */
export function sampleOf(stages: Sample['stages'], unattributed?: Float64Array): Sample {
  const n = stages[0]?.ms.length ?? 0;
  const rest = unattributed ?? new Float64Array(n);
  const totals = Float64Array.from(rest);
  for (const { ms } of stages) for (let i = 0; i < n; i++) totals[i]! += ms[i]!;
  return { n, stages, unattributed: rest, totals };
}
