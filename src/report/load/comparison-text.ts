import { formatMs } from '../../format.ts';
import type { ComparedMetric } from '../../slo/objective/compare.ts';
import { timesToDecide } from '../../slo/objective/comparison-word.ts';
import { fitColumns } from '../terminal/fit-table.ts';
import type { Paint } from '../terminal/paint.ts';
import type { Comparison } from './comparison.ts';

/**
 * The comparison as a terminal of so many columns shows it, all of it without `columns`. Its prose
 * is not folded.
 */
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
    [`verdict: ${paint[verdictPaint[verdict]](verdict.toUpperCase())}`, ...endingOf(comparison)].join('\n'),
  ];
  return `${parts.join('\n\n')}\n`;
}

const verdictPaint = { better: 'good', worse: 'bad', same: 'dim', undecided: 'warn', invalid: 'warn' } as const;

/** Why the verdict is what it is and what to do about it; nothing where the verdict says it all. */
function endingOf({ metrics, undecided, verdict, doubts }: Comparison): string[] {
  if (verdict === 'invalid') {
    const others = doubts.length > 1 ? `, and ${doubts.length - 1} more above` : '';
    return [`why: ${doubts[0]}${others}`, 'what to do: repeat the run that is in doubt, then compare again'];
  }
  if (verdict === 'worse') {
    const worse = metrics.filter((one) => one.verdict === 'worse');
    return [`why: ${worse.map(lossOf).join('; ')}`];
  }
  const open = metrics.filter((one) => one.verdict === 'undecided' && undecided.includes(one.of));
  const absent = undecided.filter((name) => !metrics.some(({ of }) => of === name));
  return [
    ...(open.length > 0 ? [`undecided: the intervals of ${listed(open)} reach over the margin`] : []),
    ...(absent.length > 0 ? [`undecided: ${absent.join(', ')}, of which a side has no data`] : []),
    ...(open.length > 0 ? [`what to do: ${adviceOn(open)}`] : []),
  ];
}

function listed(metrics: readonly ComparedMetric[]): string {
  return metrics.map(({ metric }) => metric).join(', ');
}

/** How much worse, and how much at least: the near end of the interval. */
function lossOf({ metric, unit, shift, lower, upper }: ComparedMetric): string {
  const size = (change: number) => (unit === 'ms' ? signedMs(change) : points(change)).slice(1);
  return `${metric} is worse by ${size(shift)} (at least ${size(unit === 'ms' ? lower : upper)})`;
}

function adviceOn(open: readonly ComparedMetric[]): string {
  const times = Math.max(...open.map((one) => timesToDecide(one, one.margin)));
  const what = open.some(({ method }) => method === 'welch') ? 'runs a side' : 'sessions';
  if (!Number.isFinite(times)) return `more ${what}, since so few rule no change out`;
  const wider = open.some(({ unit }) => unit === 'ms') ? ', or a larger --margin,' : '';
  return `about ${Math.max(2, Math.ceil(times))} times as many ${what}${wider} would decide`;
}

function row(one: ComparedMetric, paint: Paint): string[] {
  const value = one.unit === 'ms' ? formatMs : percent;
  const change = one.unit === 'ms' ? signedMs : points;
  const interval = `${change(one.lower)} to ${change(one.upper)}`;
  const figures = [value(one.baseline), value(one.candidate), change(one.shift), interval, change(one.margin).slice(1)];
  return [one.metric, ...figures, paint[verdictPaint[one.verdict]](one.verdict)];
}

const wordsNote =
  'Worse or better: all of the interval lies beyond the margin; same: all of it within; undecided: neither.';

function howNote(metrics: readonly ComparedMetric[]): string {
  const welch = metrics.some(({ method }) => method === 'welch');
  return welch
    ? `Means over runs, the interval is Welch’s. ${wordsNote}`
    : `Change: Hodges-Lehmann, sessions as observations (Mann-Whitney). ${wordsNote}`;
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
