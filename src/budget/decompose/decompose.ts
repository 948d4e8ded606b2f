import { quantileOfSorted } from '../../stats/quantile.ts';
import type { Sample } from '../sample/sample.ts';
import { bootstrapContributions, widened } from './bootstrap.ts';
import { bandwidthMs, weightAt } from './kernel.ts';
import type { Interval } from './verdict.ts';
import { gatherWindow, reachOf, WeightedSum, type Window } from './window.ts';
import { quantileInterval, type Worth, worthAt } from './worth.ts';

export type DecomposeOptions = { p: number; confidence: number; replicates: number; seed: number };

/** A percentile of the total and what each stage contributes to it, ms. */
export type Decomposition = {
  n: number;
  /** At the percentile. */
  worth: Worth;
  valueMs: number;
  interval: Interval;
  bandwidthMs: number;
  /** Traces within the kernel's reach: those that the shares were read from. */
  near: number;
  /**
   * In the sample's order; with `unattributed` they sum to `valueMs`. NaN when the percentile is
   * infinite.
   */
  contributions: readonly Contribution[];
  unattributed: Contribution;
};

export type Contribution = { ms: number; interval: Interval };

/**
 * Decomposes the p-quantile q of the total S over the stages X_i as E[X_i | S = q], which sums to q
 * (Euler allocation; Tasche, arXiv 0708.2542): local linear regression on S with Gaussian kernel
 * weights; percentile bootstrap over whole traces, or over whole sessions where the traces have
 * them. Throws nothing; a sample of none gives NaN.
 */
export function decompose(sample: Sample, options: DecomposeOptions): Decomposition {
  const { p, confidence } = options;
  const sorted = sample.totals.slice().sort();
  const q = quantileOfSorted(sorted, p);
  const bandwidth = bandwidthMs(sorted);
  const worth = worthAt(sample.totals, q, { clusters: sample.clusters, confidence });
  const interval = quantileInterval(sorted, p, worth, confidence);
  const base = { n: sample.n, worth, valueMs: q, interval, bandwidthMs: bandwidth };
  if (!Number.isFinite(q)) {
    const unknown = { ms: Number.NaN, interval: { low: Number.NaN, high: Number.NaN } };
    return { ...base, near: 0, contributions: sample.stages.map(() => unknown), unattributed: unknown };
  }
  const { from, to } = reachOf(sorted, q, bandwidth);
  const window = gatherWindow(sample, sorted, sorted[from]!, sorted[to - 1]!);
  const sum = new WeightedSum(window, q, bandwidth);
  for (let position = from; position < to; position++) sum.add(position);
  const shares = sum.contributions();
  const drawn = bootstrapContributions(sample, sorted, { ...options, bandwidth });
  const intervals = widened(drawn, shares, carriersOf(sample, window, q, bandwidth), confidence);
  const all = [...shares].map((ms, i) => ({ ms, interval: intervals[i]! }));
  return { ...base, near: to - from, contributions: all.slice(0, -1), unattributed: all.at(-1)! };
}

/** The kernel's weight by session, or by trace. */
function carriersOf({ clusters }: Sample, { totals, indices }: Window, q: number, bandwidth: number): Float64Array {
  const weights = totals.map((total) => weightAt(total - q, bandwidth));
  if (!clusters) return weights;
  const bySession = new Float64Array(clusters.count);
  for (let row = 0; row < weights.length; row++) bySession[clusters.codes[indices[row]!]!]! += weights[row]!;
  return bySession;
}
