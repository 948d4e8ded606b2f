import { dollars, numberText, percentText, whole } from '../../format.ts';
import type { ShadowComparison, ShadowFigure } from '../../shadow/compare.ts';
import { fitColumns } from '../terminal/fit-table.ts';
import { folded } from '../terminal/fold.ts';
import type { Paint } from '../terminal/paint.ts';

/** What a shadow log comes to. */
export type ShadowReport = ShadowComparison & {
  file: string;
  by: 'shadow' | 'variant';
  /** Backends of each side; a side may have several. */
  names: { baseline: readonly string[]; candidate: readonly string[] };
  canaries: readonly string[];
  taskWer: number;
  /** The line that a crash left unfinished; null: none. */
  cutOffLine: number | null;
  verdict: 'pass' | 'worse' | 'undecided' | 'invalid';
};

/** Both sides figure by figure, each with what it means. */
export function renderShadowReport(report: ShadowReport, paint: Paint, columns: number | undefined): string {
  const { names, by, figures, learners, utterances, between, phones, cutOffLine, taskWer } = report;
  const [was, is] = [names.baseline.join(', ') || 'nobody', names.candidate.join(', ') || 'nobody'];
  const sides = by === 'shadow' ? `${is}, unseen, beside ${was}` : `${is}, as a canary, beside ${was}`;
  const rows = figures.map((one) => [
    `  ${labels[one.figure]}`,
    valueText(one.baseline, one.unit),
    valueText(one.candidate, one.unit),
    valueText(one.shift, one.unit, true),
    `[${valueText(one.lower, one.unit, true)}, ${valueText(one.upper, one.unit, true)}]`,
    paint[colours[one.verdict]](one.verdict),
  ]);
  const head = ['  figure', by === 'shadow' ? 'served' : 'baseline', by, 'change', '95 %', 'verdict'];
  const counted =
    by === 'shadow'
      ? `  ${whole(utterances.baseline)} utterances of ${whole(learners.baseline)} learners, heard by both`
      : `  ${whole(utterances.baseline)} utterances of ${whole(learners.baseline)} learners beside ` +
        `${whole(utterances.candidate)} of ${whole(learners.candidate)}`;
  const lines = [
    counted,
    `  a task is done when at most ${percentText(taskWer)} of its words are wrong`,
    ...(between ? [differText(between)] : []),
    ...(phones ? [apartText(phones)] : []),
    ...(cutOffLine === null ? [] : [`  line ${cutOffLine}, the last, is unfinished and was passed over`]),
    endings[report.verdict],
  ];
  return [
    paint.bold(sides),
    fitColumns(head, rows, { columns, left: ['  figure', 'verdict'], spare: ['95 %'] }),
    '',
    ...lines.map((line) => folded(line, columns ?? 100)),
    '',
  ].join('\n');
}

const labels: Record<ShadowFigure['figure'], string> = {
  wer: 'wrong words',
  task_success: 'tasks done, a learner',
  final_ms: 'final text after',
  never: 'no final text',
  dollars_per_minute: 'an audio minute',
};

const colours = { better: 'good', same: 'good', worse: 'bad', undecided: 'dim' } as const;

const endings: Record<ShadowReport['verdict'], string> = {
  pass: '  nothing is worse',
  worse: '  something is worse',
  undecided: '  nothing is known to be worse, and not everything is decided: more learners narrow the intervals',
  invalid: '  nothing can be said: the log has no utterances to compare',
};

function differText({ value, lower, upper }: NonNullable<ShadowComparison['between']>): string {
  const ends = [Math.max(0, lower), upper].map((end) => valueText(end, 'share')).join(', ');
  return `  both differ in ${valueText(value, 'share')} of the words that were served [${ends}]`;
}

function apartText({ value, lower, upper, compared }: NonNullable<ShadowComparison['phones']>): string {
  const ends = [Math.max(0, lower), Math.min(100, upper)].map((end) => numberText(Number(end.toPrecision(3))));
  const apart = numberText(Number(value.toPrecision(3)));
  return `  scores of ${whole(compared)} phones are ${apart} of 100 apart at the mean [${ends.join(', ')}]`;
}

function valueText(value: number, unit: ShadowFigure['unit'], isShift = false): string {
  if (!Number.isFinite(value)) return value > 0 ? '+inf' : '-inf';
  const sign = isShift && value >= 0 ? '+' : '';
  if (unit === 'share') return `${sign}${percentText(Number(value.toPrecision(3)))}`;
  if (unit === 'ms') return `${sign}${numberText(value)} ms`;
  return value < 0 ? `-${dollars(-value)}` : `${sign}${dollars(value)}`;
}
