import type { Analysis } from '../../budget/analyse.ts';
import type { BudgetVerdict } from '../../budget/decompose/verdict.ts';
import type { BudgetReport } from '../../budget/report.ts';
import { tenthsMs } from '../../format.ts';
import { alignColumns } from '../terminal/columns.ts';
import { visibleLength } from '../terminal/fold.ts';
import type { Paint } from '../terminal/paint.ts';
import {
  exactText,
  moreLine,
  needsLine,
  sourceLine,
  titleOf,
  type Waterfall,
  type WaterfallRow,
  waterfallOf,
} from './waterfall.ts';
import { exemplarLines, groupSections } from './waterfall-details.ts';
import { whatIfLines } from './waterfall-levers.ts';

/**
 * A budget report for a terminal. Where `columns` are too few for the stages, their figures and
 * their bars in one line, the bars stand below the figures.
 */
export function budgetText(report: BudgetReport, paint: Paint, columns = Number.POSITIVE_INFINITY): string {
  const { analysis } = report;
  const { verdict } = analysis;
  const sections = [
    [
      `${paint.bold(titleOf(analysis))}  ${shownVerdict(verdict, paint)}`,
      ...[sourceLine(analysis), exactText(analysis), needsLine(analysis)].filter((line) => line !== ''),
    ],
    ...stageSections(report, paint, columns),
    ...(report.by ? groupSections(report.by.label, report.by.groups, { paint, columns }) : []),
    ...analysis.whatIf.map((answer) => whatIfLines(answer, analysis, paint)),
    exemplarLines(report.exemplars),
    report.notes.map((note) => paint.dim(`note: ${note}`)),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

/** A verdict in words, coloured. */
function shownVerdict(verdict: BudgetVerdict, paint: Paint): string {
  const style = { pass: paint.good, fail: paint.bad, invalid: paint.warn } as const;
  return style[verdict](verdict);
}

function stageSections({ analysis }: BudgetReport, paint: Paint, columns: number): string[][] {
  const waterfall = waterfallOf(analysis);
  const figures = figureRows(analysis, waterfall, paint);
  const bars = barRows(analysis, waterfall, paint);
  const verdicts = ['', ...waterfall.rows.map((_, i) => verdictOf(analysis, i, paint)), ''];
  const needs = ['', ...waterfall.rows.map((_, i) => moreLine(analysis.stages[i]?.moreTraces, analysis.source)), ''];
  const align = `<${'>'.repeat(figures[0]!.length - 1)}`;
  const beside = alignColumns(
    figures.map((cells, i) => [...cells, bars[i]!, verdicts[i]!, needs[i]!]),
    `${align}<<<`,
  );
  if (beside.every((line) => visibleLength(line) <= columns)) return [beside];
  if (!analysis.total) {
    const narrow = figures.map((cells, i) => [...cells, bars[i]!]);
    return [alignColumns(narrow, `${align}<`)];
  }
  const names = figures.map(([name]) => name!);
  const bare = bars.map((bar) => bar.replace(limitLabel(waterfall, paint), ''));
  const drawn = alignColumns(
    names.map((name, i) => [name, bare[i]!, verdicts[i]!]),
    '<<<',
  );
  const wanted = needs.flatMap((need, i) => (need === '' ? [] : [`${names[i]}: ${need}`]));
  return [alignColumns(figures, align), [...drawn.slice(1), ...wanted]];
}

function verdictOf({ stages }: Analysis, i: number, paint: Paint): string {
  const stage = stages[i];
  return stage ? shownVerdict(stage.verdict, paint) : '';
}

/** Head, a row a stage, and the sum; of a plan only the budget itself. */
function figureRows(analysis: Analysis, { rows }: Waterfall, paint: Paint): string[][] {
  const { interpretation, objective } = analysis.budget;
  const judged = interpretation !== 'contribution' && analysis.stages.length > 0;
  const head = ['stage', 'budget', 'share', 'interval', 'p50', 'p95', '1 ms is', ...(judged ? ['judged'] : [])];
  const body = rows.map((row, i) => {
    const stage = analysis.stages[i];
    return [
      row.name,
      row.budgetMs === undefined ? '' : `${row.budgetMs} ms`,
      row.interval ? tenthsMs(row.ms) : '',
      row.interval ? `${side(row.interval.low)}..${side(row.interval.high)}` : '',
      stage ? tenthsMs(stage.p50Ms) : '',
      stage ? tenthsMs(stage.p95Ms) : '',
      stage && Number.isFinite(stage.worthMs) ? `${stage.worthMs.toFixed(2)} ms` : '',
      ...(judged ? [stage ? `${stage.judged.what} ${tenthsMs(stage.judged.ms)}` : ''] : []),
    ];
  });
  const sum = [analysis.total ? `p${objective.percentile}` : 'sum', `${objective.valueMs} ms`];
  if (analysis.total) sum.push(tenthsMs(analysis.total.valueMs));
  const all = [head.map(paint.dim), ...body, [...sum, ...head.slice(sum.length).map(() => '')]];
  return analysis.total ? all : all.map((cells) => cells.slice(0, 2));
}

/** A bar for each of those rows; none where there is nothing to draw. */
function barRows(analysis: Analysis, waterfall: Waterfall, paint: Paint): string[] {
  const isDrawn = !analysis.total || Number.isFinite(analysis.total.valueMs);
  const bars = waterfall.rows.map((row) => (isDrawn ? barOf(row, waterfall, paint) : ''));
  return ['', ...bars, isDrawn ? axisOf(waterfall, paint) : ''];
}

/**
 * The bar from where the stage begins: solid what it takes, dotted what its budget leaves, red what
 * is over.
 */
function barOf({ fromMs, ms, budgetMs = 0, interval }: WaterfallRow, waterfall: Waterfall, paint: Paint): string {
  const cells = (value: number) => Math.round(Math.max(0, value) / msPerCell(waterfall));
  const start = cells(fromMs);
  const taken = cells(fromMs + ms) - start;
  const allowed = cells(fromMs + budgetMs) - start;
  const solid = '█'.repeat(Math.max(0, Math.min(taken, allowed)));
  const over = '▓'.repeat(Math.max(0, taken - allowed));
  const left = interval ? '·'.repeat(Math.max(0, Math.min(allowed - taken, barCells - start - taken))) : '';
  return ' '.repeat(Math.min(start, barCells)) + solid + paint.bad(over) + paint.dim(left);
}

function axisOf(waterfall: Waterfall, paint: Paint): string {
  const end = Math.round(waterfall.endMs / msPerCell(waterfall));
  const objective = Math.round(waterfall.objectiveMs / msPerCell(waterfall));
  const line = Array.from({ length: Math.max(end, objective) + 1 }, (_, i) =>
    i === objective ? '|' : i < end ? '─' : ' ',
  );
  return line.join('') + limitLabel(waterfall, paint);
}

function limitLabel({ objectiveMs }: Waterfall, paint: Paint): string {
  return paint.dim(` ${objectiveMs} ms`);
}

function msPerCell({ endMs, objectiveMs }: Waterfall): number {
  return Math.max(endMs, objectiveMs, 1e-9) / barCells;
}

function side(value: number): string {
  return Number.isFinite(value) ? value.toFixed(1) : '';
}

const barCells = 40;
