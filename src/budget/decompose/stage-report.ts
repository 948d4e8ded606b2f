import { samplesForInterval } from '../../stats/order-statistics.ts';
import { quantileOfSorted } from '../../stats/quantile.ts';
import type { Budget, BudgetStage } from '../file/budget.ts';
import type { Clusters } from '../sample/clusters.ts';
import type { Contribution } from './decompose.ts';
import { type BudgetVerdict, type Interval, judgeInterval, tracesToDecide } from './verdict.ts';
import { quantileInterval, worthAt } from './worth.ts';

/** A stage of the budget beside what was measured of it, ms. */
export type StageReport = {
  name: string;
  budgetMs: number;
  p50Ms: number;
  p95Ms: number;
  contribution: Contribution;
  /** What the interpretation compares with the budget. */
  judged: { what: string; ms: number; interval: Interval };
  verdict: BudgetVerdict;
  /** About how many more traces decide a straddling interval. */
  moreTraces: number | undefined;
  /**
   * What one millisecond of the stage's mean is worth at the percentile when the stage is made
   * proportionally faster; NaN for a stage that takes no time.
   */
  worthMs: number;
};

/**
 * The level at which each of k parts must keep its budget so that the sum keeps the p-quantile
 * whatever their dependence: 1 - (1 - p) / k (union bound). Six parts: p95 needs p99.17 of each.
 */
export function guaranteedLevel(p: number, parts: number): number {
  return 1 - (1 - p) / parts;
}

/**
 * What `parts` stages that each keep their own p-quantile promise end to end: six that keep p95
 * promise p70.
 */
export function promisedLevel(p: number, parts: number): number {
  return Math.max(0, 1 - parts * (1 - p));
}

/** The parts that a union bound counts: every stage, and the reserve when there is one. */
export function partsOf(budget: Budget): number {
  return budget.stages.length + (budget.reserveMs > 0 ? 1 : 0);
}

/**
 * Judges one stage by the budget's interpretation; `enough` is false below the gate's least number
 * of traces.
 */
export function reportStage(
  budget: Budget,
  stage: BudgetStage,
  { ms, clusters }: { ms: Float64Array; clusters: Clusters | undefined },
  contribution: Contribution,
  enough: boolean,
): StageReport {
  const sorted = ms.slice().sort();
  const mean = sorted.reduce((sum, each) => sum + each, 0) / sorted.length;
  const judged = judgedFigure(budget, { ms, sorted, clusters }, contribution);
  const decided = judgeInterval(judged.interval, 'lte', stage.budgetMs);
  const known = enough && Number.isFinite(judged.ms);
  const verdict = known ? decided : 'invalid';
  const n = sorted.length;
  const more = judged.needs > n ? judged.needs - n : tracesToDecide(n, judged.ms, judged.interval, stage.budgetMs);
  return {
    name: stage.name,
    budgetMs: stage.budgetMs,
    p50Ms: quantileOfSorted(sorted, 0.5),
    p95Ms: quantileOfSorted(sorted, 0.95),
    contribution,
    judged: { what: judged.what, ms: judged.ms, interval: judged.interval },
    verdict,
    moreTraces: known && verdict === 'invalid' ? more : undefined,
    worthMs: mean > 0 ? contribution.ms / mean : Number.NaN,
  };
}

type Judged = StageReport['judged'] & { needs: number };

type Times = { ms: Float64Array; sorted: Float64Array; clusters: Clusters | undefined };

function judgedFigure(budget: Budget, { ms, sorted, clusters }: Times, contribution: Contribution): Judged {
  const p = budget.objective.percentile / 100;
  if (budget.interpretation === 'contribution') return { what: 'contribution', ...contribution, needs: 0 };
  const level = budget.interpretation === 'guaranteed' ? guaranteedLevel(p, partsOf(budget)) : p;
  const { confidence } = budget.gate;
  const value = quantileOfSorted(sorted, level);
  const worth = worthAt(ms, value, { clusters, confidence });
  const least = samplesForInterval(level, confidence);
  return {
    what: `p${Number((100 * level).toFixed(2))}`,
    ms: value,
    interval: quantileInterval(sorted, level, worth, confidence),
    // As many more as it takes until these are worth the least.
    needs: worth.traces >= least ? least : Math.ceil((least * ms.length) / worth.traces),
  };
}
