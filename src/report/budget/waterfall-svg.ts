import type { Analysis } from '../../budget/analyse.ts';
import { tenthsMs } from '../../format.ts';
import { xmlText } from '../export/xml-text.ts';
import { needsLine, sourceLine, type Waterfall, type WaterfallRow, waterfallOf } from './waterfall.ts';

/**
 * The waterfall as an SVG document: a bar a stage where the last one ended, its budget outlined,
 * its interval a whisker.
 */
export function waterfallSvg(analysis: Analysis): string {
  const waterfall = waterfallOf(analysis);
  const bottom = top + waterfall.rows.length * rowHeight;
  const answers = analysis.whatIf.filter(({ valueMs }) => Number.isFinite(valueMs));
  const answersTop = bottom + 52;
  const answersBottom = answers.length === 0 ? answersTop : answersTop + (answers.length + 1) * rowHeight;
  const height = answersBottom + (answers.length === 0 ? 22 : 38);
  const x = scaleOf(waterfall, answers);
  const parts = [
    text(24, 34, waterfall.title, { size: 18, weight: 'bold' }),
    text(24, 58, `${analysis.verdict}: ${analysis.doubt === undefined ? sourceLine(analysis) : needsLine(analysis)}`, {
      size: 13,
      fill: verdictFill[analysis.verdict],
    }),
    ...ticksOf(waterfall).flatMap((ms) => [
      line(x(ms), top - 6, x(ms), bottom, { stroke: '#e3e3e3' }),
      text(x(ms), bottom + 20, `${ms}`, { size: 12, fill: '#666', anchor: 'middle' }),
    ]),
    ...waterfall.rows.flatMap((row, i) => rowParts(row, top + i * rowHeight, x)),
    line(x(waterfall.objectiveMs), top - 6, x(waterfall.objectiveMs), bottom, { stroke: '#b3261e', width: 2 }),
    text(x(waterfall.objectiveMs), top - 12, `objective ${waterfall.objectiveMs} ms`, {
      size: 12,
      fill: '#b3261e',
      anchor: 'middle',
    }),
    line(x(waterfall.endMs), top - 6, x(waterfall.endMs), bottom, { stroke: '#222', dash: '4 3' }),
    text(x(waterfall.endMs), bottom + 38, endLabel(analysis, waterfall), { size: 12, anchor: 'end' }),
    ...whatIfParts(answers, waterfall.objectiveMs, { x, y: answersTop }),
    text(24, height - 14, legendOf(analysis), { size: 12, fill: '#666' }),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${chartWidth}" height="${height}" viewBox="0 0 ${chartWidth} ${height}" font-family="'PT Mono', monospace" role="img">
<title>${xmlText(waterfall.title)}</title>
<rect width="100%" height="100%" fill="#ffffff"/>
${parts.join('\n')}
</svg>
`;
}

const chartWidth = 1080;
const top = 104;
const rowHeight = 34;
const plot = { left: 170, right: 780 };
const verdictFill = { pass: '#1f6f43', fail: '#b3261e', invalid: '#8a5a00' } as const;
const barFill = { pass: '#3a8f62', fail: '#c9483f', invalid: '#c99a3a', none: '#8a93a3' } as const;

function rowParts(row: WaterfallRow, y: number, x: (ms: number) => number): string[] {
  const middle = y + rowHeight / 2;
  const fill = barFill[row.verdict ?? 'none'];
  const [from, to] = [x(row.fromMs), x(row.fromMs + row.ms)].sort((a, b) => a - b) as [number, number];
  const parts = [text(plot.left - 12, middle + 4, clipped(row.name), { size: 13, anchor: 'end' })];
  if (row.budgetMs !== undefined && row.budgetMs > 0) {
    const width = x(row.fromMs + row.budgetMs) - x(row.fromMs);
    parts.push(rect(x(row.fromMs), y + 4, width, rowHeight - 8, { fill: 'none', stroke: '#9aa3b2', dash: '3 3' }));
  }
  parts.push(rect(from, y + 8, Math.max(1, to - from), rowHeight - 16, { fill }));
  if (row.interval && Number.isFinite(row.interval.low) && Number.isFinite(row.interval.high)) {
    const [low, high] = [x(row.fromMs + row.interval.low), x(row.fromMs + row.interval.high)];
    parts.push(line(low, middle, high, middle, { stroke: '#222' }));
    for (const end of [low, high]) parts.push(line(end, middle - 5, end, middle + 5, { stroke: '#222' }));
  }
  const figure = row.judged ? `${row.judged.what} ${tenthsMs(row.judged.ms)}` : tenthsMs(row.ms);
  const share = row.interval ? `${figure} of ${row.budgetMs ?? 0}` : `${row.ms} ms`;
  parts.push(
    text(chartWidth - 24, middle + 4, `${share}${row.verdict ? ` ${row.verdict}` : ''}`, { size: 12, anchor: 'end' }),
  );
  return parts;
}

/**
 * A bar each from 0 to where the percentile, or the sum, would be; what is over the objective is
 * red.
 */
function whatIfParts(
  answers: readonly Answer[],
  objectiveMs: number,
  at: { x: (ms: number) => number; y: number },
): string[] {
  if (answers.length === 0) return [];
  const bars = answers.flatMap(({ name, valueMs, deltaMs }, i) => {
    const y = at.y + (i + 1) * rowHeight;
    const [from, to, limit] = [at.x(0), at.x(valueMs), at.x(Math.min(valueMs, objectiveMs))];
    const sign = deltaMs >= 0 ? '+' : '';
    return [
      text(plot.left - 12, y + rowHeight / 2 + 4, clipped(name), { size: 13, anchor: 'end' }),
      rect(from, y + 8, Math.max(1, limit - from), rowHeight - 16, { fill: barFill.none }),
      ...(to > limit ? [rect(limit, y + 8, to - limit, rowHeight - 16, { fill: barFill.fail })] : []),
      text(chartWidth - 24, y + rowHeight / 2 + 4, `${tenthsMs(valueMs)}, ${sign}${tenthsMs(deltaMs)}`, {
        size: 12,
        anchor: 'end',
      }),
    ];
  });
  const end = at.y + (answers.length + 1) * rowHeight;
  return [
    text(24, at.y + 24, 'what if', { size: 13, weight: 'bold' }),
    ...bars,
    line(at.x(objectiveMs), at.y + rowHeight, at.x(objectiveMs), end, { stroke: '#b3261e', width: 2 }),
  ];
}

type Answer = Analysis['whatIf'][number];

function scaleOf({ endMs, objectiveMs, rows }: Waterfall, answers: readonly Answer[]): (ms: number) => number {
  const reach = rows.map((row) => row.fromMs + Math.max(row.ms, row.budgetMs ?? 0));
  const most = Math.max(endMs, objectiveMs, ...reach, ...answers.map(({ valueMs }) => valueMs)) * 1.02;
  return (ms) => plot.left + ((plot.right - plot.left) * ms) / most;
}

/** Six to twelve round steps. */
function ticksOf(waterfall: Waterfall): number[] {
  const most = Math.max(waterfall.endMs, waterfall.objectiveMs);
  const power = 10 ** Math.floor(Math.log10(most / 6));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => most / each <= 12)!;
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => Number((i * step).toPrecision(6)));
}

function endLabel({ total, source, budget }: Analysis, { endMs }: Waterfall): string {
  return total ? `${source} p${budget.objective.percentile} ${tenthsMs(total.valueMs)}` : `sum ${endMs} ms`;
}

function legendOf({ total }: Analysis): string {
  return total
    ? 'ms. Bar: share of the percentile, E[stage | total = p]. Dashed: its budget. Whisker: interval of the share.'
    : 'ms. Bars: the budget itself; nothing was measured.';
}

type TextStyle = { size: number; fill?: string; anchor?: 'start' | 'middle' | 'end'; weight?: string };

function text(
  x: number,
  y: number,
  content: string,
  { size, fill = '#222', anchor = 'start', weight = 'normal' }: TextStyle,
): string {
  return `<text x="${round(x)}" y="${round(y)}" font-size="${size}" fill="${fill}" text-anchor="${anchor}" font-weight="${weight}">${xmlText(content)}</text>`;
}

function line(
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  style: { stroke: string; width?: number; dash?: string },
): string {
  const dash = style.dash ? ` stroke-dasharray="${style.dash}"` : '';
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${style.stroke}" stroke-width="${style.width ?? 1}"${dash}/>`;
}

function rect(
  x: number,
  y: number,
  width: number,
  height: number,
  style: { fill: string; stroke?: string; dash?: string },
): string {
  const stroke = style.stroke ? ` stroke="${style.stroke}" stroke-dasharray="${style.dash ?? 'none'}"` : '';
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" rx="2" fill="${style.fill}"${stroke}/>`;
}

/** As much of a name as stands left of the plot. */
function clipped(name: string): string {
  return name.length > 18 ? `${name.slice(0, 17)}…` : name;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
