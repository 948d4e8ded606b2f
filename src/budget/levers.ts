import { quantileRank, selectInPlace } from '../stats/quantile.ts';
import type { Sample } from './sample/sample.ts';

/** What scaling one stage alone can do about an overshoot. */
export type BudgetLever = {
  stage: string;
  /** Whether this stage alone can bring the percentile down to the target. */
  possible: boolean;
  /** The factor that does it, 0 to 1; undefined when even removing the stage is not enough. */
  factor: number | undefined;
  /**
   * What that saves at the percentile, ms; when it is not possible, the most that the stage could
   * save.
   */
  savesMs: number;
};

/**
 * Every stage as a lever that brings the p-quantile of the total to `targetMs`, and last all of
 * `others` together. A trace keeps the target while its factor is at most (target - the rest) /
 * stage, so the factor asked for is the one that the needed number of traces allow: one selection,
 * no search, exact for the replayed traces.
 */
export function leversFor(sample: Sample, p: number, targetMs: number): BudgetLever[] {
  const before = selectInPlace(sample.totals.slice(), quantileRank(sample.n, p));
  return sample.stages.map(({ name, ms }) => leverOf(name, ms, sample.totals, { p, targetMs, before }));
}

/** All stages but `except` scaled by one factor, as a single lever. */
export function togetherLever(sample: Sample, p: number, targetMs: number, except: readonly string[]): BudgetLever {
  const sum = new Float64Array(sample.n);
  for (const { name, ms } of sample.stages) {
    if (!except.includes(name)) for (let i = 0; i < sample.n; i++) sum[i]! += ms[i]!;
  }
  const before = selectInPlace(sample.totals.slice(), quantileRank(sample.n, p));
  return leverOf('all others', sum, sample.totals, { p, targetMs, before });
}

type Goal = { p: number; targetMs: number; before: number };

function leverOf(stage: string, ms: Float64Array, totals: Float64Array, { p, targetMs, before }: Goal): BudgetLever {
  const n = totals.length;
  const rank = quantileRank(n, p);
  const factors = new Float64Array(n);
  for (let i = 0; i < n; i++) factors[i] = factorAllowed(ms[i]!, totals[i]!, targetMs);
  // At least `rank` traces must keep the target: the rank-th largest of the factors that they
  // allow.
  const factor = Math.min(1, selectInPlace(factors, n - rank + 1));
  if (factor >= 0) return { stage, possible: true, factor, savesMs: before - targetMs };
  const without = new Float64Array(n);
  for (let i = 0; i < n; i++) without[i] = totals[i]! - ms[i]!;
  return { stage, possible: false, factor: undefined, savesMs: before - selectInPlace(without, rank) };
}

function factorAllowed(ms: number, totalMs: number, targetMs: number): number {
  if (ms <= 0) return totalMs <= targetMs ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  return (targetMs - (totalMs - ms)) / ms;
}
