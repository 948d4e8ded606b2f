import { formatMs } from '../../format.ts';
import type { LoadReport, Summary } from '../../results/report.ts';
import { backendHead, backendRows } from '../load/backend-rows.ts';
import { endingLines } from '../load/ending.ts';
import { qualityLines, sessionNotes, sliceHead, sliceRows, stageEntries } from '../load/quality.ts';
import { stageNote } from '../load/table.ts';
import { formatValue } from '../terminal/format-value.ts';
import { Markdown } from './markdown-text.ts';

/** The report as `summary.md`: for a pull request or a job's summary page. */
export function loadMarkdown(report: LoadReport): string {
  const { scenario, objectives, distributions, validity, elapsedMs } = report;
  const objectiveRows = objectives.map((one) => [
    Markdown.code(one.objective),
    formatValue(one.value, one.unit),
    one.confidenceBound === undefined ? '' : formatValue(one.confidenceBound, one.unit),
    String(one.samples),
    one.verdict === 'pass' ? 'pass' : md`**${one.verdict}**: ${one.reason}`,
  ]);
  const slices = sliceRows(report);
  const backends = backendRows(report);
  const measured = Object.entries(distributions).filter(([, summary]) => summary.samples > 0);
  const page = [
    md`# ${scenario.name}: ${report.interrupted ? 'interrupted' : report.verdict}`,
    md`${scenario.learners} learners against ${scenario.target} for ${formatMs(elapsedMs)}, seed ${scenario.seed}, schedule ${Markdown.code(scenario.planHash)}.`,
    table(['objective', 'measured', 'proven at 95 %', 'samples', 'verdict'], objectiveRows),
    notesOf(report),
    table(['latency', 'samples', 'never', 'p50', 'p95', 'p99', 'max'], measured.map(latencyRow)),
    table(['stage', 'samples', 'never', 'p50', 'p95', 'p99', 'max'], stageEntries(report).map(latencyRow)),
    md`${stageNote}`,
    ...(slices.length > 0 ? [table(sliceHead(report), slices)] : []),
    ...(backends.length > 0 ? [table(backendHead, backends)] : []),
    Markdown.list(qualityLines(report).map((line) => line.replace(/ {2,}/, ': '))),
    Markdown.list(validity.map(({ check, ok, detail }) => md`${ok ? 'ok' : md`**invalid**`}: ${check}, ${detail}`)),
    Markdown.join([md`**verdict: ${report.verdict}**`, Markdown.list(endingLines(report))], '\n'),
  ];
  return `${Markdown.join(page, '\n\n')}\n\n`;
}

const md = Markdown.of;

/** A sentence, and what it is about as a list. */
function notesOf(report: LoadReport): Markdown {
  const [sentence, ...rest] = sessionNotes(report);
  if (sentence === undefined) return md``;
  return Markdown.join([md`${sentence}`, Markdown.list(rest)], '\n');
}

function latencyRow([name, { samples, never, p50Ms, p95Ms, p99Ms, maxMs }]: readonly [string, Summary]): string[] {
  const times = [p50Ms, p95Ms, p99Ms, maxMs].map((ms) => (ms === undefined ? '' : formatMs(ms)));
  return [name, String(samples), String(never), ...times];
}

function table(head: readonly string[], rows: readonly (readonly (string | Markdown)[])[]): Markdown {
  return Markdown.table(head, rows, (name, column) => column === 0 || name === 'verdict');
}
