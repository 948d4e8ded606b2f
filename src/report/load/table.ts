import { formatMs } from '../../format.ts';
import type { LoadReport, Summary } from '../../results/report.ts';
import type { ObjectiveVerdict } from '../../slo/objective/objective-verdict.ts';
import { boxed, fitsTerminal, fitTable } from '../terminal/fit-table.ts';
import { formatValue } from '../terminal/format-value.ts';
import type { Paint } from '../terminal/paint.ts';
import { backendHead, backendRows } from './backend-rows.ts';
import { endingLines } from './ending.ts';
import { answersOf, qualityLines, sessionNotes, sliceHead, sliceRows, stageEntries } from './quality.ts';

/**
 * The report as a terminal of so many columns shows it at the end of a run, all of it whole without
 * `columns`; without colour when `paint` is plain. Its prose is not folded.
 */
export function loadTable(report: LoadReport, paint: Paint, columns?: number): string {
  const parts = [heading(report), objectivesTable(report, paint, columns), latencyTable(report, columns)];
  if (Object.values(report.stages).some(({ samples }) => samples > 0)) parts.push(stageTable(report, columns));
  const slices = sliceRows(report);
  if (slices.length > 0)
    parts.push(fitTable(sliceHead(report), slices, { columns, spare: ['samples', 'sessions', 'p99'] }));
  const backends = backendRows(report);
  if (backends.length > 0) parts.push(fitTable(backendHead, backends, { columns, spare: ['without phones', 'p50'] }));
  parts.push([sessionLines(report), ...qualityLines(report)].join('\n'), validityLines(report, paint));
  if (report.faults.length > 0) parts.push(faultLines(report));
  if (report.sessionErrors.length > 0) parts.push(sessionErrorLines(report));
  parts.push([verdictLine(report, paint), ...endingLines(report)].join('\n'));
  return `${parts.join('\n\n')}\n`;
}

/** What to read beside the stage rows, so that nobody adds them up. */
export const stageNote =
  "Percentiles do not add: the p95 of the whole is not the sum of the stages' p95. Uplink and downlink are half a ping each, but exact on simulated networks.";

function heading({ scenario, elapsedMs }: LoadReport): string {
  const { name, learners, target, seed, planHash } = scenario;
  return `${name}: ${learners} learners against ${target} for ${formatMs(elapsedMs)}, seed ${seed}, schedule ${planHash}`;
}

/**
 * Each with its verdict: in a table, reasons included or below it, or in a line each where that is
 * too wide.
 */
function objectivesTable(report: LoadReport, paint: Paint, columns: number | undefined): string {
  const { objectives } = report;
  const verdict = ({ verdict }: ObjectiveVerdict) => paint[verdictPaint[verdict]](verdict);
  const why = (one: ObjectiveVerdict) => (one.verdict === 'pass' ? '' : `: ${one.reason}`);
  const bound = ({ confidenceBound, unit }: ObjectiveVerdict) =>
    confidenceBound === undefined ? '' : formatValue(confidenceBound, unit);
  const measured = ({ value, unit }: ObjectiveVerdict) => formatValue(value, unit);
  const head = ['objective', 'measured', 'proven at 95 %', 'samples', 'missed', 'verdict'];
  const table = (reasons: boolean) => {
    const rows = objectives.map((one) => [
      one.objective,
      measured(one),
      bound(one),
      `${one.samples}`,
      `${one.misses}`,
      `${verdict(one)}${reasons ? why(one) : ''}`,
    ]);
    return boxed(head, rows, { left: ['objective', 'verdict'] });
  };
  const unmet = objectives.filter(({ verdict }) => verdict !== 'pass');
  const notes = sessionNotes(report);
  if (fitsTerminal(table(true), { columns })) return [table(true), ...notes].join('\n');
  if (fitsTerminal(table(false), { columns }))
    return [table(false), ...unmet.map((one) => `${verdict(one)}  ${one.objective}${why(one)}`), ...notes].join('\n');
  const lines = objectives.map((one) => {
    const proven = bound(one) && `, proven ${bound(one)} at 95 %`;
    const blanks = ' '.repeat(9 - one.verdict.length);
    return `${verdict(one)}${blanks}${one.objective}: ${measured(one)}${proven}, ${one.misses} of ${one.samples} missed${why(one)}`;
  });
  return [...lines, ...notes].join('\n');
}

function latencyTable({ distributions }: LoadReport, columns: number | undefined): string {
  const measured = Object.entries(distributions).filter(([, { samples }]) => samples > 0);
  const lost = measured.some(([, { never }]) => never > 0);
  const rows = measured.map(([name, one]) => [
    name,
    `${one.samples}`,
    ...(lost ? [`${one.never || ''}`] : []),
    ...quantiles(one),
  ]);
  const head = ['latency', 'samples', ...(lost ? ['never'] : []), 'p50', 'p95', 'p99', 'max'];
  return fitTable(head, rows, { columns, spare: ['max', 'samples'] });
}

function stageTable(report: LoadReport, columns: number | undefined): string {
  const rows = stageEntries(report).map(([name, one]) => [name, shown(one.meanMs), ...quantiles(one)]);
  const head = [`stage of ${answersOf(report)}`, 'mean', 'p50', 'p95', 'p99', 'max'];
  return `${fitTable(head, rows, { columns, spare: ['max', 'p99'] })}\n${stageNote}`;
}

function sessionLines(report: LoadReport): string {
  const { totals, counts } = report;
  const { sessions, sessionsOk, sessionsCut, utterances, framesSent, events } = totals;
  const of = (name: string) => counts[name]?.count ?? 0;
  const lost = of('lost_by_app') > 0 ? `, ${of('lost_by_app')} lost in the app` : '';
  const missed = of('lost_by_network') > 0 ? `, ${of('lost_by_network')} of them given up: the network lost them` : '';
  return [
    ...offeredLines(report),
    `sessions    ${sessions} attempted, ${sessionsOk} ended well, ${of('sessions_refused')} refused, ${of('sessions_died')} died${of('sessions_sent_away') > 0 ? `, ${of('sessions_sent_away')} sent away` : ''}${sessionsCut > 0 ? `; ${sessionsCut} cut short by the end of the test` : ''}`,
    `traffic     ${framesSent} frames sent, ${totals.framesAcked} acknowledged${missed}, ${of('lost_frames')} lost, ${of('resent_frames')} sent again, ${of('dropped_by_app')} dropped by the app${lost}; ${events} events, ${of('violations')} protocol violations; ${utterances} utterances finished${of('late_finals') > 0 ? `, ${of('late_finals')} finals came late` : ''}`,
    ...transcriptLines(of('transcripts_moved'), of('transcripts_lost')),
  ].join('\n');
}

/** What became of transcripts that backends write, where something did. */
function transcriptLines(moved: number, lost: number): string[] {
  return moved + lost === 0
    ? []
    : [`transcripts ${moved} moved to another backend, ${lost} lost: the scores went on without them`];
}

/** What was asked of a server that did not take all of it, and what became of that. */
function offeredLines({ scenario, totals, counts, shares, distributions, warmupMs }: LoadReport): string[] {
  const of = (name: string) => counts[name]?.count ?? 0;
  // A learner who comes again is refused more than once.
  const refusals = Math.max(of('refusals'), of('sessions_refused'));
  if (refusals + of('sessions_sent_away') === 0) return [];
  const admitted = totals.sessions - of('sessions_refused');
  const p99Ms = distributions.refusal_time?.p99Ms;
  const told = p99Ms === undefined ? '' : `, told so within ${formatMs(p99Ms)} at p99`;
  const seconds = (scenario.durationMs - warmupMs) / 1000;
  const goodput = shares.goodput ? `; goodput ${(shares.goodput.good / seconds).toFixed(1)} utterances a second` : '';
  return [
    `load        ${scenario.learners} learners offered, ${admitted} sessions admitted, ${refusals} refusals${told}${goodput}`,
  ];
}

function faultLines({ faults }: LoadReport): string {
  const lines = faults.map(({ kind, atMs, untilMs, affected, problem }) => {
    const until = untilMs === undefined ? '' : ` to ${formatMs(untilMs)}`;
    const targets = affected ? `, ${affected.learners} of ${affected.of} learners` : '';
    return `  at ${formatMs(atMs)}${until}: ${kind}${targets}${problem === undefined ? '' : `: did not happen: ${problem}`}`;
  });
  return ['faults', ...lines].join('\n');
}

function validityLines({ validity }: LoadReport, paint: Paint): string {
  return validity
    .map(({ check, ok, detail }) => `${ok ? paint.good('ok     ') : paint.bad('INVALID')}     ${check}: ${detail}`)
    .join('\n');
}

function sessionErrorLines({ sessionErrors }: LoadReport): string {
  const shownLines = sessionErrors.slice(0, 5).map(({ text, count }) => `  ${count} x ${text}`);
  const more = sessionErrors.length > 5 ? [`  and ${sessionErrors.length - 5} other kinds`] : [];
  return ['session errors', ...shownLines, ...more].join('\n');
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
