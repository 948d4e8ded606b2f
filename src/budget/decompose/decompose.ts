import { quantileRanks } from '../../stats/order-statistics.ts';
import { quantileOfSorted } from '../../stats/quantile.ts';
import type { Sample } from '../sample/sample.ts';
import { bootstrapContributions } from './bootstrap.ts';
import { bandwidthMs } from './kernel.ts';
import { atRanks, type Interval } from './verdict.ts';
import { gatherWindow, reachOf, WeightedSum } from './window.ts';

export type DecomposeOptions = { p: number; confidence: number; replicates: number; seed: number };

/** A percentile of the total and what each stage contributes to it, ms. */
export type Decomposition = {
  n: number;
  valueMs: number;
  interval: Interval;
  bandwidthMs: number;
  /** Traces within the kernel's reach: those that the shares were read from. */
  near: number;
  /** In the sample's order; with `unattributed` they sum to `valueMs`. NaN when the percentile is infinite. */
  contributions: readonly Contribution[];
  unattributed: Contribution;
};

export type Contribution = { ms: number; interval: Interval };

/**
 * Decomposes the p-quantile q of the total S over the stages X_i as E[X_i | S = q], which sums to q (Euler allocation;
 * Tasche, arXiv 0708.2542): Gaussian kernel weights on S - q, rescaled to q; percentile bootstrap over whole traces.
 * Throws nothing; a sample of none gives NaN.
 */
export function decompose(sample: Sample, options: DecomposeOptions): Decomposition {
  const sorted = sample.totals.slice().sort();
  const q = quantileOfSorted(sorted, options.p);
  const bandwidth = bandwidthMs(sorted);
  const interval = atRanks(sorted, quantileRanks(sample.n, options.p, options.confidence));
  const base = { n: sample.n, valueMs: q, interval, bandwidthMs: bandwidth };
  if (!Number.isFinite(q)) {
    const unknown = { ms: Number.NaN, interval: { low: Number.NaN, high: Number.NaN } };
    return { ...base, near: 0, contributions: sample.stages.map(() => unknown), unattributed: unknown };
  }
  const { from, to } = reachOf(sorted, q, bandwidth);
  const window = gatherWindow(sample, sorted, sorted[from]!, sorted[to - 1]!);
  const sum = new WeightedSum(window, q, bandwidth);
  for (let position = from; position < to; position++) sum.add(position);
  const intervals = bootstrapContributions(sample, sorted, { ...options, bandwidth });
  const all = [...sum.contributions()].map((ms, i) => ({ ms, interval: intervals[i]! }));
  return { ...base, near: to - from, contributions: all.slice(0, -1), unattributed: all.at(-1)! };
}
