import { quantileOfSorted } from '../../stats/quantile.ts';
import type { Sample } from '../sample/sample.ts';
import { bandwidthMs } from './kernel.ts';
import { fitAt } from './local-fit.ts';
import { shareIntervals } from './share-intervals.ts';
import type { Interval } from './verdict.ts';
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
 * (Euler allocation; Tasche, arXiv 0708.2542), by local linear regression on S, with intervals.
 * Throws nothing; a sample of none gives NaN.
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
  const fit = fitAt(sample, sorted, q, bandwidth);
  const intervals = shareIntervals(sample, sorted, fit, { p, interval }, options);
  const all = [...fit.contributions].map((ms, i) => ({ ms, interval: intervals[i]! }));
  return { ...base, near: fit.window.indices.length, contributions: all.slice(0, -1), unattributed: all.at(-1)! };
}
