import { durationText, numberText, percentText } from '../../format.ts';
import { type BurnAlert, budgetSpent } from './burn.ts';
import type { Evaluation } from './evaluate.ts';
import type { Indicator, ServiceLevel, ServiceObjective } from './service-level.ts';

/** What a bad event is, as the end of a sentence: "took longer than 100ms", "failed". */
export function missText({ latency }: Indicator): string {
  return lateText(latency?.atMost);
}

function lateText(atMostMs: number | undefined): string {
  return atMostMs === undefined ? 'failed' : `took longer than ${durationText(atMostMs)}`;
}

/**
 * Why an alert fires and what it costs, in sentences that a page can carry. `observed` is the share
 * in the long window, or a template that the pager fills in.
 */
export function explainAlert(
  level: ServiceLevel,
  objective: ServiceObjective,
  alert: BurnAlert,
  observed = `More than ${percentText(alert.burn * (1 - objective.target))}`,
): string {
  const period = durationText(level.periodMs);
  const spent = percentText(budgetSpent(alert.burn, alert.longMs, level.periodMs));
  const longest = durationText(level.periodMs / alert.burn);
  return (
    `${observed} of the events of ${objective.name} in the last ${durationText(alert.longMs)} ${missText(objective.indicator)}, ` +
    `and still do in the last ${durationText(alert.tenthsMs)}; ${level.service} promises at most ` +
    `${percentText(1 - objective.target)} over ${period}. That is above ${numberText(alert.burn)} times the rate that the ` +
    `promise can bear: ${spent} of the budget of ${period} goes in ${durationText(alert.longMs)}, all of it in ${longest}. ` +
    `It ends by itself within ${durationText(alert.tenthsMs)} of the cause being gone.`
  );
}

/** Where one objective stands now, in sentences. */
export function explainEvaluation(level: ServiceLevel, evaluation: Evaluation): string {
  const { objective, atMostMs, windows, budgetLeft, exhaustedInMs, firing } = evaluation;
  const widest = windows.at(-1);
  if (!widest || widest.total === 0) {
    return `${objective.name} of ${level.service}: no events were seen, so nothing is known; silence is not health.`;
  }
  const share = percentText(widest.bad / widest.total);
  const sentences = [
    `${objective.name} of ${level.service}: ${numberText(widest.bad)} of ${numberText(widest.total)} events (${share}) ` +
      `in ${durationText(widest.windowMs)} ${lateText(atMostMs)}; the promise is at most ` +
      `${percentText(1 - objective.target)}, so the budget burns at ${numberText(widest.burn ?? 0)} times the rate it can bear.`,
  ];
  if (budgetLeft !== undefined) {
    const left =
      budgetLeft > 0 ? `${percentText(budgetLeft)} of the budget of ${durationText(level.periodMs)} is left` : '';
    sentences.push(
      `${left || `The budget of ${durationText(level.periodMs)} is spent ${numberText(1 - budgetLeft)} times over`}.`,
    );
  }
  if (exhaustedInMs !== undefined && budgetLeft !== undefined && budgetLeft > 0) {
    sentences.push(
      Number.isFinite(exhaustedInMs)
        ? `At the present pace it is gone in ${durationText(exhaustedInMs)}.`
        : 'It will last.',
    );
  }
  for (const alert of firing) {
    sentences.push(
      `The ${alert.severity} for burn above ${numberText(alert.burn)} over ${durationText(alert.longMs)} fires.`,
    );
  }
  return sentences.join(' ');
}
