import { quantileRank } from '../../stats/quantile.ts';
import { logScale } from './log-scale.ts';
import type { Paint } from './paint.ts';
import { labelWidth, rowLabels } from './time-plot.ts';

/** One line of the plot; infinite for what never arrived, at the end. */
export type PercentileSeries = { name: string; sortedMs: Float64Array; dotted: boolean };

/**
 * Latency against how many frames are faster, the axis stretched by nines as hdrplot does: 90 %, 99
 * % and 99.9 % are equally far apart, and a line ends where its frames do, or where they never
 * arrived. Braille: two dots by four a cell.
 */
export function renderPercentilePlot(series: readonly PercentileSeries[], columns: number, paint: Paint): string[] {
  const shown = series.filter(({ sortedMs }) => Number.isFinite(sortedMs[0]));
  const mostFrames = Math.max(...shown.map(({ sortedMs }) => sortedMs.length));
  const nines = Math.max(1, Math.log10(mostFrames));
  const scale = logScale(
    // The few that were faster than all others would take half of the height: they lie on the axis.
    Math.min(...shown.map(({ sortedMs }) => finiteAt(sortedMs, 0.1))) / 1.5,
    Math.max(...shown.map(({ sortedMs }) => finiteAt(sortedMs, 1))),
  );
  const layers = shown.map((one) => draw(one, { columns, nines, at: scale.at }));
  const labels = rowLabels(scale.ticks, scale.at, height);
  const lines = Array.from({ length: height }, (_, index) => {
    const cells = Array.from({ length: columns }, (_, column) => {
      const dots = layers.map((cells) => cells[index * columns + column]!);
      const both = String.fromCharCode(0x2800 + dots.reduce((sum, each) => sum | each, 0));
      return dots.every((each) => each === 0) ? ' ' : (dots[0] ?? 0) > 0 ? paint.good(both) : paint.warn(both);
    });
    const label = labels.get(height - 1 - index);
    return `${(label ?? '').padStart(labelWidth)} ${label ? '┤' : '│'}${cells.join('')}`;
  });
  return [...lines, `${' '.repeat(labelWidth)} └${'─'.repeat(columns)}`, ninesAxis(nines, columns)];
}

const height = 8;
/** The bit of a braille cell for each dot: columns of four, from above. */
const dotBits = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const;

/** Braille bits of one line, a cell each, row after row from above. */
function draw(
  { sortedMs, dotted }: PercentileSeries,
  { columns, nines, at }: { columns: number; nines: number; at: (ms: number) => number },
): Uint8Array {
  const cells = new Uint8Array(columns * height);
  let last: number | undefined;
  for (let x = 0; x < columns * 2; x++) {
    const above = 10 ** ((-nines * (x + 0.5)) / (columns * 2));
    if (above * sortedMs.length < 0.5) break;
    const ms = sortedMs[quantileRank(sortedMs.length, 1 - above) - 1]!;
    if (!Number.isFinite(ms)) break;
    const y = Math.round((1 - at(ms)) * (height * 4 - 1));
    // A step is drawn as one, so that the line has no holes.
    const [from, to] = last === undefined || dotted ? [y, y] : [Math.min(y, last), Math.max(y, last)];
    last = y;
    if (dotted && x % 2 === 1) continue;
    for (let dot = from; dot <= to; dot++) {
      const cell = Math.floor(dot / 4) * columns + Math.floor(x / 2);
      cells[cell] = cells[cell]! | dotBits[x % 2]![dot % 4]!;
    }
  }
  return cells;
}

/** The p-quantile of what arrived. */
function finiteAt(sortedMs: Float64Array, p: number): number {
  const arrived = sortedMs.findLastIndex(Number.isFinite) + 1;
  return sortedMs[quantileRank(arrived, p) - 1]!;
}

function ninesAxis(nines: number, columns: number): string {
  const marks = [
    [0.5, '50 %'],
    [0.1, '90 %'],
    [0.01, '99 %'],
    [0.001, '99.9 %'],
    [0.0001, '99.99 %'],
    [0.00001, '99.999 %'],
  ] as const;
  let line = '';
  for (const [above, text] of marks) {
    const column = Math.round((-Math.log10(above) / nines) * columns);
    const start = column - Math.floor(text.length / 2);
    if (start > line.length && start + text.length <= columns) line = line.padEnd(start) + text;
  }
  return `${' '.repeat(labelWidth + 2)}${line}`;
}
