import { quantileOfSorted } from '../stats/quantile.ts';
import type { Interval } from './decompose/verdict.ts';
import { quantileInterval, worthAt } from './decompose/worth.ts';
import type { Change, WhatIf } from './file/budget.ts';
import { type BudgetLever, leversFor, togetherLever } from './levers.ts';
import { percentileMs, replay, tracesBelowZero } from './sample/replay.ts';
import type { Sample } from './sample/sample.ts';

/** The budget's reserve, as a lever of a plan. */
export const reserveName = 'reserve';

export type WhatIfAnswer = {
  name: string;
  changes: readonly Change[];
  /** The percentile after the changes, and how far it moved, ms. */
  valueMs: number;
  deltaMs: number;
  /** Confidence interval of the percentile after the changes, as of any measured one. */
  interval: Interval;
  /**
   * What the levers bring the percentile back to: the objective, or where it was when it still
   * keeps the objective.
   */
  targetMs: number;
  overshootMs: number;
  /** None when nothing is to be repaid. */
  levers: readonly BudgetLever[];
  /** Every stage that the changes leave alone, scaled together. */
  together: BudgetLever | undefined;
  /**
   * The levers once more for what is left when a reserve is spent first; none where there is no
   * reserve to spend.
   */
  afterReserve: readonly BudgetLever[];
  /** Traces in which the changes ask a stage for less than no time. */
  belowZero: number;
};

/** Replays the changes and tells what it takes to repay them. */
export function answerWhatIf(
  sample: Sample,
  whatIf: WhatIf,
  objective: { p: number; valueMs: number; confidence: number },
): WhatIfAnswer {
  const { p, confidence } = objective;
  const before = percentileMs(sample, p);
  const changed = replay(sample, whatIf.changes);
  const sorted = changed.totals.slice().sort();
  const valueMs = quantileOfSorted(sorted, p);
  const worth = worthAt(changed.totals, valueMs, { clusters: changed.clusters, confidence });
  const targetMs = valueMs > objective.valueMs ? objective.valueMs : before;
  const isOver = Number.isFinite(valueMs) && valueMs > targetMs;
  const touched = whatIf.changes.map(({ stage }) => stage);
  return {
    name: whatIf.name,
    changes: whatIf.changes,
    valueMs,
    deltaMs: valueMs - before,
    interval: quantileInterval(sorted, p, worth, confidence),
    targetMs,
    overshootMs: isOver ? valueMs - targetMs : 0,
    levers: isOver ? leversFor(changed, p, targetMs) : [],
    together: isOver ? togetherLever(changed, p, targetMs, touched) : undefined,
    afterReserve: isOver ? leversAfterReserve(changed, p, targetMs) : [],
    belowZero: tracesBelowZero(sample, changed),
  };
}

/** Only a plan has a reserve to spend; in traces it is no stage. */
function leversAfterReserve(changed: Sample, p: number, targetMs: number): BudgetLever[] {
  if (!changed.stages.some(({ name }) => name === reserveName)) return [];
  const spent = replay(changed, [{ stage: reserveName, kind: 'remove' }]);
  if (percentileMs(spent, p) <= targetMs) return [];
  return leversFor(spent, p, targetMs).filter(({ stage }) => stage !== reserveName);
}
