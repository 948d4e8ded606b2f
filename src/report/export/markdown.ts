import { formatMs } from '../../format.ts';
import type { LoadReport, Summary } from '../../results/report.ts';
import { endingLines } from '../load/ending.ts';
import { qualityLines, sessionNotes, sliceHead, sliceRows } from '../load/quality.ts';
import { stageNote } from '../load/table.ts';
import { formatValue } from '../terminal/format-value.ts';

/** The report as `summary.md`: for a pull request or a job's summary page. */
export function loadMarkdown(report: LoadReport): string {
  const { scenario, objectives, distributions, stages, validity, elapsedMs } = report;
  const objectiveRows = objectives.map((one) => [
    `\`${one.objective}\``,
    formatValue(one.value, one.unit),
    one.confidenceBound === undefined ? '' : formatValue(one.confidenceBound, one.unit),
    String(one.samples),
    one.verdict === 'pass' ? 'pass' : `**${one.verdict}**: ${one.reason}`,
  ]);
  const slices = sliceRows(report);
  const notes = sessionNotes(report);
  const measured = Object.entries(distributions).filter(([, summary]) => summary.samples > 0);
  return [
    `# ${scenario.name}: ${report.interrupted ? 'interrupted' : report.verdict}`,
    `${scenario.learners} learners against ${scenario.target} for ${formatMs(elapsedMs)}, seed ${scenario.seed}, schedule \`${scenario.planHash}\`.`,
    table(['objective', 'measured', 'proven at 95 %', 'samples', 'verdict'], objectiveRows),
    ...(notes.length > 0 ? [notes.map((note) => note.replace(/^ {2}/, '- ')).join('\n')] : []),
    table(['latency', 'samples', 'never', 'p50', 'p95', 'p99', 'max'], measured.map(latencyRow)),
    table(['stage', 'samples', 'never', 'p50', 'p95', 'p99', 'max'], Object.entries(stages).map(latencyRow)),
    stageNote,
    ...(slices.length > 0 ? [table(sliceHead, slices)] : []),
    qualityLines(report)
      .map((line) => `- ${line.replace(/ {2,}/, ': ')}`)
      .join('\n'),
    validity.map(({ check, ok, detail }) => `- ${ok ? 'ok' : '**invalid**'}: ${check}, ${detail}`).join('\n'),
    [`**verdict: ${report.verdict}**`, ...endingLines(report).map((line) => `- ${line}`)].join('\n'),
    '',
  ].join('\n\n');
}

function latencyRow([name, { samples, never, p50Ms, p95Ms, p99Ms, maxMs }]: readonly [string, Summary]): string[] {
  const times = [p50Ms, p95Ms, p99Ms, maxMs].map((ms) => (ms === undefined ? '' : formatMs(ms)));
  return [name, String(samples), String(never), ...times];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [
    line(head),
    line(head.map((name, i) => (i === 0 || name === 'verdict' ? '---' : '--:'))),
    ...rows.map(line),
  ].join('\n');
}
