import { durationText, numberText, percentText } from '../../format.ts';
import type { Verdict } from '../../slo/objective/objective-verdict.ts';
import { largestBurn } from '../../slo/service-level/burn.ts';
import type { AlertCheck, ServiceLevelCheck } from '../../slo/service-level/check.ts';
import type { Evaluation } from '../../slo/service-level/evaluate.ts';
import { explainAlert, explainEvaluation } from '../../slo/service-level/explain.ts';
import { proofSizes } from '../../slo/service-level/proof-sizes.ts';
import type { ServiceLevel } from '../../slo/service-level/service-level.ts';
import { snakeCased } from '../export/run-json.ts';
import type { Paint } from '../terminal/paint.ts';

/** How the alerts of a service level behave, for a terminal. */
export function checkText(level: ServiceLevel, check: ServiceLevelCheck, paint: Paint): string {
  const count = level.objectives.length === 1 ? '1 objective' : `${level.objectives.length} objectives`;
  const lines = [paint.bold(`${level.name}: ${count} over ${durationText(level.periodMs)}`)];
  for (const { name, target } of level.objectives) {
    lines.push('', `${name}: ${percentText(target)} good, a burn of at most ${numberText(largestBurn(target))}`);
    lines.push(...check.alerts.filter((alert) => alert.objective === name).map(alertLine), proofLine(target));
  }
  lines.push('', check.findings.length === 0 ? paint.good('nothing to object to') : paint.warn('findings'));
  for (const { objective, message } of check.findings) lines.push(`  ${objective ? `${objective}, ` : ''}${message}`);
  return `${lines.join('\n')}\n`;
}

/** The check as one JSON document. */
export function checkJson(level: ServiceLevel, check: ServiceLevelCheck): object {
  const objectives = level.objectives.map(({ name, target }) => ({
    name,
    target,
    largestBurn: largestBurn(target),
    loadTest: proofSizes(target),
    alerts: check.alerts.filter((alert) => alert.objective === name).map(({ objective: _, ...alert }) => alert),
  }));
  return snakeCased({ name: level.name, periodMs: level.periodMs, objectives, findings: check.findings }) as object;
}

/** Where each objective stands: burn over every window, what is left, what fires. */
export function evaluationText(level: ServiceLevel, evaluations: readonly Evaluation[], paint: Paint): string {
  const lines: string[] = [];
  for (const evaluation of evaluations) {
    const { objective, verdict, reason, windows, budgetLeft, exhaustedInMs } = evaluation;
    lines.push(`${paintOf(paint, verdict)(verdict.padEnd(8))}${paint.bold(objective.name)}: ${reason}`);
    for (const { windowMs, bad, total, burn } of windows) {
      const share = total > 0 ? percentText(bad / total) : 'no events';
      const burnt = burn === undefined ? '' : `  burn ${numberText(burn)}`;
      lines.push(
        `  ${durationText(windowMs).padStart(7)}  ${`${numberText(bad)} bad of ${numberText(total)}`.padEnd(32)}${share.padEnd(10)}${burnt}`,
      );
    }
    if (budgetLeft !== undefined)
      lines.push(`  budget left: ${percentText(budgetLeft)} of ${durationText(level.periodMs)}`);
    if (exhaustedInMs !== undefined) lines.push(`  gone in: ${durationText(exhaustedInMs)} at the present pace`);
    lines.push(`  ${explainEvaluation(level, evaluation)}`, '');
  }
  return lines.join('\n');
}

/** The evaluation as one JSON document. */
export function evaluationJson(level: ServiceLevel, evaluations: readonly Evaluation[], verdict: Verdict): object {
  const objectives = evaluations.map(({ objective, ...rest }) => ({
    name: objective.name,
    target: objective.target,
    ...rest,
    explanation: explainEvaluation(level, { objective, ...rest }),
  }));
  return snakeCased({ name: level.name, verdict, objectives }) as object;
}

/** What each alert says when it fires, before it does. */
export function alertSentences(level: ServiceLevel): string {
  const sentences = level.objectives.flatMap((objective) =>
    level.alerts.map((alert) => `${alert.severity}: ${explainAlert(level, objective, alert)}`),
  );
  return `${sentences.join('\n\n')}\n`;
}

function alertLine(alert: AlertCheck): string {
  const windows = `${durationText(alert.longMs)} and ${durationText(alert.tenthsMs)}`;
  const tenPercent = Number.isFinite(alert.tenPercentDetectedMs)
    ? `after ${durationText(alert.tenPercentDetectedMs)}`
    : 'never';
  return (
    `  ${alert.severity.padEnd(8)}burn > ${numberText(alert.burn)} over ${windows}: above ${percentText(alert.badShare)} bad; ` +
    `spends ${percentText(alert.budgetSpent)} of the budget; fires on an outage after ` +
    `${durationText(alert.outageDetectedMs)}, on 10 % bad ${tenPercent}`
  );
}

function proofLine(target: number): string {
  const { toProve, toMeasure } = proofSizes(target);
  const [none, one, ten] = toProve.map(({ events }) => numberText(events));
  return (
    `  a load test proves it with ${none} events and no miss, ${one} with one, ${ten} with ten; ` +
    `${numberText(toMeasure.events)} measure it to +-${percentText(toMeasure.margin)} at 99 %`
  );
}

function paintOf(paint: Paint, verdict: Verdict): (text: string) => string {
  return { pass: paint.good, fail: paint.bad, invalid: paint.warn }[verdict];
}
