import type { ComparedMetric } from '../../slo/objective/compare.ts';
import { formatMs } from '../../units.ts';
import { fitColumns } from '../terminal/fit-table.ts';
import type { Paint } from '../terminal/paint.ts';

/** Two load tests side by side, as text and JSON show them. */
export type Comparison = {
  baseline: { name: string; runs: number };
  candidate: { name: string; runs: number };
  /** Why nothing is proven, such as a generator that could not keep its schedule. */
  doubts: readonly string[];
  /** What a reader should know, such as other schedules. */
  notes: readonly string[];
  metrics: readonly ComparedMetric[];
  verdict: 'better' | 'worse' | 'no difference' | 'invalid';
};

/** The comparison as a terminal of so many columns shows it, all of it without `columns`. Its prose is not folded. */
export function comparisonText(comparison: Comparison, paint: Paint, columns?: number): string {
  const { baseline, candidate, metrics, doubts, notes, verdict } = comparison;
  const head = ['metric', 'baseline', 'candidate', 'change', '95 % interval', 'margin', 'verdict'];
  const rows = metrics.map((one) => row(one, paint));
  const spare = ['margin', '95 % interval', 'baseline'];
  const parts = [
    `${candidate.name} (${runs(candidate.runs)}) against the baseline ${baseline.name} (${runs(baseline.runs)})`,
    fitColumns(head, rows, { columns, left: ['metric', 'verdict'], spare }).replace(/^.*/, paint.dim),
    howNote(metrics),
    ...(notes.length > 0 ? [notes.map((note) => `note: ${note}`).join('\n')] : []),
    ...(doubts.length > 0 ? [doubts.map((doubt) => `${paint.bad('INVALID')} ${doubt}`).join('\n')] : []),
    `verdict: ${paint[verdictPaint[verdict]](verdict.toUpperCase())}`,
  ];
  return `${parts.join('\n\n')}\n`;
}

const verdictPaint = { better: 'good', worse: 'bad', 'no difference': 'dim', invalid: 'warn' } as const;

function row(one: ComparedMetric, paint: Paint): string[] {
  const value = one.unit === 'ms' ? formatMs : percent;
  const change = one.unit === 'ms' ? signedMs : points;
  const interval = `${change(one.lower)} to ${change(one.upper)}`;
  const figures = [value(one.baseline), value(one.candidate), change(one.shift), interval, change(one.margin).slice(1)];
  return [one.metric, ...figures, paint[verdictPaint[one.verdict]](one.verdict)];
}

function howNote(metrics: readonly ComparedMetric[]): string {
  const welch = metrics.some(({ method }) => method === 'welch');
  return welch
    ? 'Means over runs, the interval is Welch’s. Worse or better: all of the interval lies beyond the margin.'
    : 'Change: Hodges-Lehmann, sessions as observations (Mann-Whitney). Worse or better: all of the interval lies beyond the margin.';
}

function runs(count: number): string {
  return count === 1 ? '1 run' : `${count} runs`;
}

function signedMs(ms: number): string {
  if (ms === Number.POSITIVE_INFINITY) return '+any';
  if (ms === Number.NEGATIVE_INFINITY) return '-any';
  return ms < 0 ? `-${formatMs(-ms)}` : `+${formatMs(ms)}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(3)} %`;
}

function points(share: number): string {
  return `${share < 0 ? '-' : '+'}${(Math.abs(share) * 100).toFixed(3)} %`;
}
