import { dollars, durationText, percent, whole } from '../../format.ts';
import type { RoutedOutcome } from '../../routing/simulate/simulate.ts';
import { fitColumns } from '../terminal/fit-table.ts';
import { folded } from '../terminal/fold.ts';
import type { Paint } from '../terminal/paint.ts';

export type SimulatedPolicy = {
  policy: string;
  load: string;
  durationMs: number;
  outcome: RoutedOutcome;
  /** What the pods of the load cost with their idle hours; null without a price. */
  podDollars: number | null;
};

/** Minutes, money and refusals of a load played over a policy. */
export function renderRouted(
  { policy, load, durationMs, outcome, podDollars }: SimulatedPolicy,
  paint: Paint,
  columns: number | undefined,
): string {
  const { audioMinutes, dollars: total, unservedMinutes, backends, rules } = outcome;
  const all = audioMinutes + unservedMinutes;
  const rows = backends.map(({ backend, audioMinutes: minutes, dollars: cost, peakSessions, hinderedMs }) => [
    `  ${backend.name}`,
    whole(minutes),
    percent(all > 0 ? minutes / all : 0),
    dollars(cost),
    whole(peakSessions),
    held(hinderedMs.full),
    held(hinderedMs['over its cost']),
  ]);
  const head = ['  backend', 'minutes', 'share', 'cost', 'peak', 'full', 'over its cost'];
  const sessions = rules.reduce((sum, rule) => sum + rule.sessions, 0);
  const ruleRows = rules.map((rule) => [
    `  ${rule.rule}`,
    whole(rule.sessions),
    percent(sessions > 0 ? rule.sessions / sessions : 0),
  ]);
  return [
    paint.bold(`${load} over ${policy}: ${durationText(durationMs)}`),
    fitColumns(head, rows, { columns, spare: ['peak'] }),
    '',
    fitColumns(['  rule', 'sessions', 'share'], ruleRows, { columns }),
    '',
    folded(sentences(total, audioMinutes, unservedMinutes, podDollars).join('\n'), columns ?? 100),
    '',
  ].join('\n');
}

function sentences(total: number, minutes: number, unserved: number, podDollars: number | null): string[] {
  const price = minutes > 0 ? `${dollars(total / minutes)} an audio minute` : 'nothing was heard';
  return [
    `  ${dollars(total)} at the prices of the policy, ${price}`,
    ...(podDollars === null
      ? []
      : [`  our own pods, idle hours among them, come to ${dollars(podDollars)} (speechfb capacity)`]),
    unserved >= 0.5
      ? `  ${whole(unserved)} minutes found no backend, ${percent(unserved / (unserved + minutes))} of what was spoken`
      : '  every learner found a backend',
  ];
}

function held(ms: number): string {
  return ms > 0 ? durationText(ms) : '';
}
