import type { Analysis } from '../../budget/analyse.ts';
import type { BudgetVerdict, Interval } from '../../budget/decompose/verdict.ts';
import { tenthsMs, whole } from '../../format.ts';

/** One bar of a waterfall, ms: where it begins, how long it is, and what it may be. */
export type WaterfallRow = {
  name: string;
  fromMs: number;
  ms: number;
  interval: Interval | undefined;
  budgetMs: number | undefined;
  verdict: BudgetVerdict | undefined;
  /** The figure that the verdict compares with the budget, when it is not the share itself. */
  judged: { what: string; ms: number } | undefined;
};

export type Waterfall = {
  title: string;
  rows: readonly WaterfallRow[];
  /** Where the bars end: the percentile, or the sum of the budget. */
  endMs: number;
  objectiveMs: number;
  percentile: number;
};

/**
 * The bars of a budget: shares of the percentile where there are any, else the budget's own parts.
 */
export function waterfallOf(analysis: Analysis): Waterfall {
  const { budget, total, stages, unattributed } = analysis;
  const rows: WaterfallRow[] = [];
  let fromMs = 0;
  const add = (row: Omit<WaterfallRow, 'fromMs'>) => {
    rows.push({ ...row, fromMs });
    fromMs += row.ms;
  };
  const shown = total !== undefined && Number.isFinite(total.valueMs);
  budget.stages.forEach(({ name, budgetMs }, i) => {
    const stage = shown ? stages[i] : undefined;
    add({
      name,
      ms: stage?.contribution.ms ?? budgetMs,
      interval: stage?.contribution.interval,
      budgetMs,
      verdict: stage?.verdict,
      judged: budget.interpretation === 'contribution' ? undefined : stage?.judged,
    });
  });
  const rest = { budgetMs: budget.reserveMs, verdict: undefined, judged: undefined };
  if (shown && unattributed)
    add({ name: 'unattributed', ms: unattributed.ms, interval: unattributed.interval, ...rest });
  else if (budget.reserveMs > 0) add({ name: 'reserve', ms: budget.reserveMs, interval: undefined, ...rest });
  return {
    title: titleOf(analysis),
    rows,
    endMs: shown ? total.valueMs : fromMs,
    objectiveMs: budget.objective.valueMs,
    percentile: budget.objective.percentile,
  };
}

/** `mobile-500ms: p95 <= 500 ms, speech-end to feedback-received`. */
export function titleOf({ budget }: Analysis): string {
  const { percentile, op, valueMs } = budget.objective;
  const measure = budget.measure ? `, ${budget.measure.from} to ${budget.measure.to}` : '';
  return `${budget.name}: p${percentile} ${op === 'lte' ? '<=' : '<'} ${valueMs} ms${measure}`;
}

/** `425.8 ms [417.2, 434.0]`; an open side is `..`. */
export function withInterval(ms: number, interval: Interval): string {
  const side = (value: number) => (Number.isFinite(value) ? value.toFixed(1) : '..');
  return `${tenthsMs(ms)} [${side(interval.low)}, ${side(interval.high)}]`;
}

/** The figures' origin in one sentence. */
export function sourceLine(analysis: Analysis): string {
  const { source, total, budget } = analysis;
  if (!total) return 'no traces and no declared distributions: only the sum is checked';
  const percent = `${Number((100 * budget.gate.confidence).toFixed(2))} %`;
  const value = withInterval(total.valueMs, total.interval);
  const from = source === 'measured' ? `${total.n} traces` : `${total.n} simulated traces`;
  return `${source} p${budget.objective.percentile} ${value} at ${percent}, from ${from}${worthText(total.worth)}`;
}

/** Why nothing is judged, or what an invalid verdict still needs, when that can be told. */
export function needsLine({ doubt, total, source }: Analysis): string {
  if (doubt !== undefined) return `the run proves nothing: ${doubt}`;
  if (total && total.n < total.needed) {
    return `${total.n} traces prove nothing: ${total.needed} are needed, ${total.needed - total.n} more`;
  }
  const { sessions } = total?.worth ?? {};
  if (total && !total.enough && sessions !== undefined) {
    const few = sessions === 1 ? 'one session proves' : `${sessions} sessions prove`;
    return `${few} nothing: about ${whole(total.moreSessions!)} more like ${sessions === 1 ? 'it' : 'these'} are needed`;
  }
  const more = moreLine(total?.moreTraces, source);
  const inSessions = Number.isFinite(total?.moreSessions) ? `, of ${whole(total!.moreSessions!)} sessions` : '';
  return more === '' ? '' : `${more}${inSessions}`;
}

/** How much less traces of few sessions prove than as many of different ones. */
function worthText({ sessions, designEffect, traces }: NonNullable<Analysis['total']>['worth']): string {
  if (sessions === undefined) return '';
  const of = sessions === 1 ? 'one session' : `${whole(sessions)} sessions`;
  return ` of ${of}, worth ${whole(Math.floor(traces))} independent ones (design effect ${designEffect.toFixed(1)})`;
}

/**
 * About how many more traces, measured or simulated, decide a figure that lies too close to its
 * limit.
 */
export function moreLine(moreTraces: number | undefined, source: Analysis['source']): string {
  if (moreTraces === undefined || Number.isNaN(moreTraces)) return '';
  if (!Number.isFinite(moreTraces)) return 'more traces are not likely to decide it: the figure is at the limit';
  const traces =
    source === 'predicted' ? 'more simulated traces decide it (simulation.samples)' : 'more traces decide it';
  return `about ${whole(Math.ceil(moreTraces))} ${traces}`;
}

/**
 * The share of each stage in closed form, when every stage is declared normal: `a 61.5608 + b
 * 12.4665`.
 */
export function exactText({ exactMs, exactShares, budget }: Analysis): string {
  if (exactMs === undefined || !exactShares) return '';
  const shares = budget.stages.map(({ name }, i) => `${name} ${exactShares[i]!.toFixed(4)}`);
  return `exactly ${exactMs.toFixed(4)} ms for normal stages = ${shares.join(' + ')}`;
}
