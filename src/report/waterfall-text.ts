import type { BudgetReport } from '../budget/report.ts';
import type { Verdict } from '../budget/verdict.ts';
import { alignColumns } from './columns.ts';
import type { Paint } from './paint.ts';
import {
  exactText,
  moreLine,
  needsLine,
  shortMs,
  sourceLine,
  titleOf,
  type Waterfall,
  type WaterfallRow,
  waterfallOf,
} from './waterfall.ts';
import { exemplarLines, groupLines } from './waterfall-details.ts';
import { whatIfLines } from './waterfall-levers.ts';

/** A budget report for a terminal. */
export function budgetText(report: BudgetReport, paint: Paint): string {
  const { analysis } = report;
  const { verdict } = analysis;
  const sections = [
    [
      `${paint.bold(titleOf(analysis))}  ${shownVerdict(verdict, paint)}`,
      ...[sourceLine(analysis), exactText(analysis), needsLine(analysis)].filter((line) => line !== ''),
    ],
    stageLines(report, paint),
    ...(report.by ? [groupLines(report.by.label, report.by.groups, paint)] : []),
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
export function shownVerdict(verdict: Verdict, paint: Paint): string {
  const style = { pass: paint.good, fail: paint.bad, inconclusive: paint.warn } as const;
  return style[verdict](verdict);
}

function stageLines({ analysis }: BudgetReport, paint: Paint): string[] {
  const waterfall = waterfallOf(analysis);
  const { interpretation, objective } = analysis.budget;
  const drawn = !analysis.total || Number.isFinite(analysis.total.valueMs);
  const judged = interpretation !== 'contribution' && analysis.stages.length > 0;
  const head = ['stage', 'budget', 'share', 'interval', 'p50', 'p95', '1 ms is'];
  const rows = waterfall.rows.map((row, i) => {
    const stage = analysis.stages[i];
    const cells = [
      row.name,
      row.budgetMs === undefined ? '' : `${row.budgetMs} ms`,
      row.interval ? shortMs(row.ms) : '',
      row.interval ? `${side(row.interval.low)}..${side(row.interval.high)}` : '',
      stage ? shortMs(stage.p50Ms) : '',
      stage ? shortMs(stage.p95Ms) : '',
      stage && Number.isFinite(stage.worthMs) ? `${stage.worthMs.toFixed(2)} ms` : '',
    ];
    if (judged) cells.push(stage ? `${stage.judged.what} ${shortMs(stage.judged.ms)}` : '');
    const verdict = stage ? shownVerdict(stage.verdict, paint) : '';
    return [...cells, drawn ? barOf(row, waterfall, paint) : '', verdict, moreLine(stage?.moreTraces, analysis.source)];
  });
  const sum = [
    analysis.total ? `p${objective.percentile}` : 'sum',
    `${objective.valueMs} ms`,
    analysis.total ? shortMs(analysis.total.valueMs) : '',
    ...Array.from({ length: judged ? 5 : 4 }, () => ''),
    drawn ? axisOf(waterfall, paint) : '',
  ];
  const titles = [...head, ...(judged ? ['judged'] : []), '', '', ''];
  const keep = analysis.total ? undefined : [0, 1, 7];
  const pick = (cells: string[]) => (keep ? keep.map((c) => cells[c] ?? '') : cells);
  const align = keep ? '<><' : judged ? '<>>>>>>><<<' : '<>>>>>><<<';
  const padded = (cells: string[]) =>
    [...cells, ...Array.from({ length: align.length }, () => '')].slice(0, align.length);
  return alignColumns(
    [titles.map(paint.dim), ...rows, sum].map((cells) => padded(pick(cells))),
    align,
  );
}

/** The bar from where the stage begins: solid what it takes, dotted what its budget leaves, red what is over. */
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
  return line.join('') + paint.dim(` ${waterfall.objectiveMs} ms`);
}

function msPerCell({ endMs, objectiveMs }: Waterfall): number {
  return Math.max(endMs, objectiveMs, 1e-9) / barCells;
}

function side(value: number): string {
  return Number.isFinite(value) ? value.toFixed(1) : '';
}

const barCells = 40;
