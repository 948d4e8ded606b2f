import Table from 'cli-table3';
import { formatMs } from '../units.ts';
import { formatValue } from './format-value.ts';
import { qualityLines, sessionNotes, sliceHead, sliceRows } from './load-quality.ts';
import type { Paint } from './paint.ts';
import type { LoadReport, Summary } from './report.ts';

/** The report as a terminal shows it at the end of a run; without colour when `paint` is plain. */
export function loadTable(report: LoadReport, paint: Paint): string {
  const parts = [heading(report), objectivesTable(report, paint), latencyTable(report)];
  if (Object.values(report.stages).some(({ samples }) => samples > 0)) parts.push(stageTable(report));
  const slices = sliceRows(report);
  if (slices.length > 0) parts.push(tableOf(sliceHead, slices));
  parts.push([sessionLines(report), ...qualityLines(report)].join('\n'), validityLines(report, paint));
  if (report.faults.length > 0) parts.push(faultLines(report));
  if (report.troubles.length > 0) parts.push(troubleLines(report));
  parts.push(verdictLine(report, paint));
  return `${parts.join('\n\n')}\n`;
}

/** What to read beside the stage rows, so that nobody adds them up. */
export const stageNote =
  "Percentiles do not add: the p95 of the whole is not the sum of the stages' p95. Uplink and downlink are half a ping each, but exact on simulated networks.";

function heading({ scenario, elapsedMs }: LoadReport): string {
  const { name, learners, target, seed, planHash } = scenario;
  return `${name}: ${learners} learners against ${target} for ${formatMs(elapsedMs)}, seed ${seed}, schedule ${planHash}`;
}

function objectivesTable({ objectives }: LoadReport, paint: Paint): string {
  const table = newTable(['objective', 'measured', 'proven at 95 %', 'samples', 'missed', 'verdict']);
  for (const one of objectives) {
    const bound = one.confidenceBound === undefined ? '' : formatValue(one.confidenceBound, one.unit);
    table.push([
      one.objective,
      formatValue(one.value, one.unit),
      bound,
      one.samples,
      one.misses,
      `${paint[verdictPaint[one.verdict]](one.verdict)}${one.verdict === 'pass' ? '' : `: ${one.reason}`}`,
    ]);
  }
  return [table.toString(), ...sessionNotes(objectives)].join('\n');
}

function latencyTable({ distributions }: LoadReport): string {
  const table = newTable(['latency', 'samples', 'never', 'p50', 'p95', 'p99', 'max']);
  for (const [name, summary] of Object.entries(distributions)) {
    if (summary.samples > 0) table.push([name, summary.samples, summary.never || '', ...quantiles(summary)]);
  }
  return table.toString();
}

function stageTable({ stages }: LoadReport): string {
  const table = newTable(['stage of feedback_latency', 'mean', 'p50', 'p95', 'p99', 'max']);
  for (const [name, summary] of Object.entries(stages)) {
    table.push([name, shown(summary.meanMs), ...quantiles(summary)]);
  }
  return `${table}\n${stageNote}`;
}

function sessionLines({ totals, counts }: LoadReport): string {
  const { sessions, sessionsOk, sessionsCut, utterances, framesSent, events } = totals;
  const of = (name: string) => counts[name]?.count ?? 0;
  return [
    `sessions    ${sessions} attempted, ${sessionsOk} ended well, ${of('sessions_refused')} refused, ${of('sessions_died')} died${sessionsCut > 0 ? `; ${sessionsCut} cut short by the end of the test` : ''}`,
    `traffic     ${framesSent} frames sent, ${totals.framesAcked} acknowledged, ${of('lost_frames')} lost, ${of('resent_frames')} sent again, ${of('dropped_by_app')} dropped by the app; ${events} events, ${of('violations')} protocol violations; ${utterances} utterances finished`,
  ].join('\n');
}

function faultLines({ faults }: LoadReport): string {
  const lines = faults.map(({ kind, atMs, untilMs, hit, problem }) => {
    const until = untilMs === undefined ? '' : ` to ${formatMs(untilMs)}`;
    const whom = hit ? `, ${hit.learners} of ${hit.of} learners` : '';
    return `  at ${formatMs(atMs)}${until}: ${kind}${whom}${problem === undefined ? '' : `: did not happen: ${problem}`}`;
  });
  return ['faults', ...lines].join('\n');
}

function validityLines({ validity }: LoadReport, paint: Paint): string {
  return validity
    .map(({ check, ok, detail }) => `${ok ? paint.good('ok     ') : paint.bad('INVALID')}     ${check}: ${detail}`)
    .join('\n');
}

function troubleLines({ troubles }: LoadReport): string {
  const shownLines = troubles.slice(0, 5).map(({ text, count }) => `  ${count} x ${text}`);
  const more = troubles.length > 5 ? [`  and ${troubles.length - 5} other kinds`] : [];
  return ['trouble', ...shownLines, ...more].join('\n');
}

function verdictLine({ verdict, interrupted }: LoadReport, paint: Paint): string {
  const said = paint[verdictPaint[verdict]](verdict.toUpperCase());
  return interrupted ? `INTERRUPTED; so far: ${said}` : `verdict: ${said}`;
}

const verdictPaint = { pass: 'good', fail: 'bad', invalid: 'warn' } as const;

function quantiles({ p50Ms, p95Ms, p99Ms, maxMs }: Summary): string[] {
  return [p50Ms, p95Ms, p99Ms, maxMs].map(shown);
}

function shown(ms: number | undefined): string {
  return ms === undefined ? '' : formatMs(ms);
}

function tableOf(head: string[], rows: readonly string[][]): string {
  const table = newTable(head);
  table.push(...rows);
  return table.toString();
}

function newTable(head: string[]): Table.Table {
  const colAligns = head.map((name, i) => (i === 0 || name === 'verdict' ? ('left' as const) : ('right' as const)));
  return new Table({ head, colAligns, style: { head: [], border: [], compact: true } });
}
