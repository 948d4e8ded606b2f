import type { RunsObjective, RunsReport } from '../../results/runs.ts';
import { alignColumns } from '../terminal/columns.ts';
import { formatValue } from '../terminal/format-value.ts';
import type { Paint } from '../terminal/paint.ts';

/**
 * Several runs as a terminal shows them: a column a run, then the mean and how far it can be
 * trusted.
 */
export function runsText({ scenario, runs, objectives, verdict, interrupted }: RunsReport, paint: Paint): string {
  const head = ['objective', ...runs.map(({ seed }) => `seed ${seed}`), 'mean', '95 % interval'].map(paint.dim);
  const rows = objectives.map((one) => [one.objective, ...cells(one, paint), ...intervalCells(one)]);
  const last = ['verdict', ...runs.map((run) => painted(run.verdict, paint)), '', ''];
  const said = painted(verdict, paint, verdict.toUpperCase());
  return [
    `${scenario}: ${runs.length} runs`,
    alignColumns([head, ...rows, last], `<${'>'.repeat(runs.length + 2)}`).join('\n'),
    [
      interrupted ? `INTERRUPTED; so far: ${said}` : `verdict of all runs: ${said}`,
      ...objectives.flatMap((one) => whyLine(one, verdict)),
    ].join('\n'),
    '',
  ].join('\n\n');
}

/**
 * In how many runs an objective was what the verdict of all is; `report` of a run says why and what
 * to do.
 */
function whyLine({ objective, verdicts }: RunsObjective, verdict: RunsReport['verdict']): string[] {
  const runs = verdicts.filter((one) => one === verdict).length;
  if (verdict === 'pass' || runs === 0) return [];
  return [`why: ${objective}: ${verdict === 'fail' ? 'missed' : 'not proven'} in ${runs} of ${verdicts.length} runs`];
}

const verdictPaint = { pass: 'good', fail: 'bad', invalid: 'warn' } as const;

function painted(verdict: RunsReport['verdict'], paint: Paint, text: string = verdict): string {
  return paint[verdictPaint[verdict]](text);
}

/** A miss is marked, so that colour is not needed. */
function cells({ values, verdicts, unit }: RunsObjective, paint: Paint): string[] {
  return values.map((value, i) => {
    const verdict = verdicts[i]!;
    const mark = { pass: '', fail: ' !', invalid: ' ?' }[verdict];
    return painted(verdict, paint, `${formatValue(value, unit)}${mark}`);
  });
}

function intervalCells({ interval, unit }: RunsObjective): string[] {
  if (!interval) return ['', ''];
  const { mean, lower, upper } = interval;
  if (!Number.isFinite(lower)) return [shown(mean, unit), 'needs more runs'];
  // A share's or a count's mean cannot leave its range, whatever the formula says.
  const range = { share: [0, 1], count: [0, Number.POSITIVE_INFINITY] } as const;
  const [least, most] = unit === 'share' ? range.share : range.count;
  return [shown(mean, unit), `${shown(Math.max(least, lower), unit)} to ${shown(Math.min(most, upper), unit)}`];
}

function shown(value: number, unit: RunsObjective['unit']): string {
  return formatValue(unit === 'count' ? Number(value.toPrecision(3)) : value, unit);
}
