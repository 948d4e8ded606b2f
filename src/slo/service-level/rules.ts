import { yamlText } from '../../config/yaml-text.ts';
import { durationText, numberText, percentText } from '../../format.ts';
import type { BurnAlert } from './burn.ts';
import { explainAlert, missText } from './explain.ts';
import { badRate, badShare, eventCount, promDuration, totalRate } from './promql.ts';
import type { ServiceLevel, ServiceObjective } from './service-level.ts';

type Rule = {
  record?: string;
  alert?: string;
  expr: string;
  for?: string;
  labels: Record<string, string>;
  annotations?: Record<string, string>;
};

export type RuleFile = { groups: { name: string; rules: Rule[] }[] };

/**
 * Prometheus rules of a service level: for each objective the share of bad events over every window
 * an alert looks at, multiwindow burn-rate alerts on them, and the part of the period's budget that
 * is left, weighted by traffic.
 */
export function prometheusRules(level: ServiceLevel): RuleFile {
  return {
    groups: level.objectives.map((objective) => ({
      // One group: its rules run in order, so that an alert reads what was recorded just now, not
      // an interval ago.
      name: `slo-${level.name}-${objective.name}`,
      rules: [...recordings(level, objective), ...alerts(level, objective)],
    })),
  };
}

/** The rules as YAML text, with a first line that says where they come from. */
export function rulesText(level: ServiceLevel): string {
  const header = `# Made by "speechfb slo rules" from the service level ${level.name}; edit that, not this.\n`;
  return header + yamlText(prometheusRules(level));
}

function recordings(level: ServiceLevel, objective: ServiceObjective): Rule[] {
  const labels = labelsOf(level, objective);
  const { indicator, target } = objective;
  const windowsMs = [...new Set(level.alerts.flatMap((alert) => [alert.tenthsMs, alert.longMs]))].sort((a, b) => a - b);
  const longMs = [...new Set(level.alerts.map((alert) => alert.longMs))].sort((a, b) => a - b);
  const period = promDuration(level.periodMs);
  const matchers = matchersOf(level, objective);
  const shares = windowsMs.map((ms) => {
    const window = promDuration(ms);
    return { record: shareName(ms), expr: badShare(indicator, window), labels };
  });
  const counts = longMs.map((ms) => {
    return { record: countName(ms), expr: eventCount(indicator, promDuration(ms), ms), labels };
  });
  const left =
    `1 - (sum_over_time(slo:bad_events:rate5m${matchers}[${period}]) / ` +
    `(sum_over_time(slo:events:rate5m${matchers}[${period}]) > 0)) / ${fraction(1 - target)}`;
  return [
    ...shares,
    ...(level.minimumEvents > 0 ? counts : []),
    { record: 'slo:bad_events:rate5m', expr: badRate(indicator, '5m'), labels },
    { record: 'slo:events:rate5m', expr: totalRate(indicator, '5m'), labels },
    { record: `slo:budget_left:ratio${period}`, expr: left, labels },
  ];
}

function alerts(level: ServiceLevel, objective: ServiceObjective): Rule[] {
  const rules: Rule[] = level.alerts.map((alert) => burnAlert(level, objective, alert));
  if (level.noDataMs !== undefined) rules.push(noDataAlert(level, objective, level.noDataMs));
  return rules;
}

function burnAlert(level: ServiceLevel, objective: ServiceObjective, alert: BurnAlert): Rule {
  const matchers = matchersOf(level, objective);
  const limit = fraction(alert.burn * (1 - objective.target));
  const conditions = [
    `${shareName(alert.longMs)}${matchers} > ${limit}`,
    `${shareName(alert.tenthsMs)}${matchers} > ${limit}`,
  ];
  if (level.minimumEvents > 0) conditions.push(`${countName(alert.longMs)}${matchers} >= ${level.minimumEvents}`);
  const windows = { long: promDuration(alert.longMs), short: promDuration(alert.tenthsMs) };
  const name = `${pascal(objective.name)}BudgetBurn`;
  return {
    alert: name,
    expr: conditions.join(' and '),
    labels: { ...labelsOf(level, objective), severity: alert.severity, ...windows },
    annotations: {
      summary:
        `${level.service}: ${objective.name} burns its ${durationText(level.periodMs)} budget more than ` +
        `${numberText(alert.burn)} times too fast`,
      description: explainAlert(level, objective, alert, '{{ $value | humanizePercentage }}'),
      ...runbookOf(level, name),
    },
  };
}

/** Silence is not health: without events no ratio exists and no burn alert can ever fire. */
function noDataAlert(level: ServiceLevel, objective: ServiceObjective, noDataMs: number): Rule {
  const labels = labelsOf(level, objective);
  const name = `${pascal(objective.name)}NoData`;
  return {
    alert: name,
    expr: `absent(slo:events:rate5m${matchersOf(level, objective)})`,
    for: promDuration(noDataMs),
    labels: { ...labels, severity: 'ticket' },
    annotations: {
      summary: `${level.service}: nothing is known of ${objective.name}`,
      description:
        `The series that count the events of ${objective.name} have been absent for ${durationText(noDataMs)}. Events that ` +
        `${missText(objective.indicator)} would go unseen; the promise of ${percentText(objective.target)} is not watched.`,
      ...runbookOf(level, name),
    },
  };
}

/** Whoever is woken has the page one click away. */
function runbookOf({ runbook }: ServiceLevel, alert: string): Record<string, string> {
  return runbook === undefined ? {} : { runbook_url: runbook.replaceAll('{alert}', alert) };
}

function labelsOf(level: ServiceLevel, objective: ServiceObjective): Record<string, string> {
  return { service: level.service, slo: level.name, objective: objective.name };
}

function matchersOf(level: ServiceLevel, objective: ServiceObjective): string {
  return `{slo="${level.name}",objective="${objective.name}"}`;
}

function shareName(windowMs: number): string {
  return `slo:bad_events:ratio_rate${promDuration(windowMs)}`;
}

function countName(windowMs: number): string {
  return `slo:events:increase${promDuration(windowMs)}`;
}

/** Without the noise in the last digits of a product: 0.72, not 0.7200000000000006. */
function fraction(value: number): string {
  return String(Number(value.toPrecision(10)));
}

function pascal(name: string): string {
  return name.replace(/(?:^|-)([a-z0-9])/g, (_, first: string) => first.toUpperCase());
}
