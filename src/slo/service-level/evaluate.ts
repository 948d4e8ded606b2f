import { numberText, percentText } from '../../format.ts';
import { samplesToProve } from '../../stats/sample-size.ts';
import { shareLower, shareUpper } from '../../stats/share-bounds.ts';
import type { Verdict } from '../objective/objective-verdict.ts';
import { type BurnAlert, burnRate, timeToExhaustionMs } from './burn.ts';
import type { ServiceLevel, ServiceObjective } from './service-level.ts';

/** Bad and all events of one objective in one window that ends now. */
export type WindowCount = { windowMs: number; bad: number; total: number };

type WindowBurn = WindowCount & {
  /** Undefined without events. */
  burn: number | undefined;
};

export type Evaluation = {
  objective: ServiceObjective;
  /**
   * What an event may take; learners in a load test wait for more than the server. Undefined:
   * events fail or not.
   */
  atMostMs: number | undefined;
  verdict: Verdict;
  reason: string;
  /** From the shortest window to the longest. */
  windows: WindowBurn[];
  /**
   * Share of the period's budget that is left; below 0 when overspent; undefined when the period
   * was not seen.
   */
  budgetLeft: number | undefined;
  /**
   * At the burn of the shortest alert's long window; Infinity when the budget will last; undefined
   * when unknown.
   */
  exhaustedInMs: number | undefined;
  /** Alerts whose two windows are both above their burn. */
  firing: BurnAlert[];
};

/** Every window that an evaluation asks for: those of the alerts and the period, shortest first. */
export function evaluationWindowsMs(level: ServiceLevel): number[] {
  const windows = level.alerts.flatMap((alert) => [alert.longMs, alert.tenthsMs]);
  return [...new Set([...windows, level.periodMs])].sort((a, b) => a - b);
}

/**
 * Where an objective stands, from counts over windows that all end now. Fails when the period's
 * budget is spent or a page fires; invalid without events over the period.
 */
export function evaluateWindows(
  level: ServiceLevel,
  objective: ServiceObjective,
  counts: readonly WindowCount[],
): Evaluation {
  const windows = counts.map((count) => withBurn(count, objective.target)).sort((a, b) => a.windowMs - b.windowMs);
  const burnOver = (windowMs: number) => windows.find((window) => window.windowMs === windowMs)?.burn;
  const enough = (windowMs: number) =>
    (windows.find((window) => window.windowMs === windowMs)?.total ?? 0) >= level.minimumEvents;
  const firing = level.alerts.filter(
    ({ burn, longMs, tenthsMs }) =>
      enough(longMs) && (burnOver(longMs) ?? 0) > burn && (burnOver(tenthsMs) ?? 0) > burn,
  );
  const periodBurn = burnOver(level.periodMs);
  const budgetLeft = periodBurn === undefined ? undefined : 1 - periodBurn;
  const pace = burnOver(Math.min(...level.alerts.map((alert) => alert.longMs), level.periodMs));
  const exhaustedInMs =
    budgetLeft === undefined || pace === undefined ? undefined : timeToExhaustionMs(budgetLeft, pace, level.periodMs);
  const atMostMs = objective.indicator.latency?.atMost;
  return { objective, atMostMs, windows, budgetLeft, exhaustedInMs, firing, ...judge(budgetLeft, firing) };
}

/**
 * What one load test says of an objective: fail when its burn is proven above 1, pass when proven
 * at or below 1, else invalid. Clopper-Pearson bounds, one-sided at 95 % each. The run is no
 * period, so no budget is left or spent. `doubt` says why the run itself proves nothing.
 */
export function evaluateRun(objective: ServiceObjective, count: WindowCount, doubt?: string): Evaluation {
  const atMostMs = objective.indicator.loadtest?.atMost;
  const base = { objective, atMostMs, windows: [withBurn(count, objective.target)], firing: [] };
  const unknown = { ...base, budgetLeft: undefined, exhaustedInMs: undefined };
  const { bad, total } = count;
  if (doubt !== undefined) return { ...unknown, verdict: 'invalid', reason: `the run proves nothing: ${doubt}` };
  if (total === 0) return { ...unknown, verdict: 'invalid', reason: 'no events' };
  const budget = 1 - objective.target;
  const most = shareUpper(bad, total, runConfidence);
  const least = shareLower(bad, total, runConfidence);
  if (most <= budget) return { ...unknown, verdict: 'pass', reason: 'proven within the budget at 95 % confidence' };
  if (least > budget) return { ...unknown, verdict: 'fail', reason: 'proven beyond the budget at 95 % confidence' };
  const seen = `${numberText(bad)} bad of ${numberText(total)} proves nothing about ${percentText(objective.target)}`;
  const more = samplesToProve(budget, bad, runConfidence) - total;
  const needs = bad / total <= budget ? `; ${numberText(more)} more without a miss would` : '';
  return { ...unknown, verdict: 'invalid', reason: `${seen}${needs}` };
}

/** Any failure fails the whole; else anything unproven makes it invalid. */
export function overallVerdict(evaluations: readonly { verdict: Verdict }[]): Verdict {
  if (evaluations.some((one) => one.verdict === 'fail')) return 'fail';
  return evaluations.length > 0 && evaluations.every((one) => one.verdict === 'pass') ? 'pass' : 'invalid';
}

const runConfidence = 0.95;

function withBurn(count: WindowCount, target: number): WindowBurn {
  return { ...count, burn: count.total > 0 ? burnRate(count.bad / count.total, target) : undefined };
}

function judge(budgetLeft: number | undefined, firing: readonly BurnAlert[]): { verdict: Verdict; reason: string } {
  const page = firing.find((alert) => alert.severity === 'page');
  if (page) return { verdict: 'fail', reason: 'a page fires' };
  if (budgetLeft === undefined) return { verdict: 'invalid', reason: 'no events in the period' };
  if (budgetLeft < 0) return { verdict: 'fail', reason: 'the budget of the period is spent' };
  return { verdict: 'pass', reason: firing.length > 0 ? 'within the budget, a ticket fires' : 'within the budget' };
}
