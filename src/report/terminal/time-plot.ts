import { lengthText } from '../../format.ts';
import { logScale, tickText } from './log-scale.ts';
import type { Paint } from './paint.ts';

export type TimePlot = {
  title: string;
  /** When each frame was written, from 0 to durationMs, and its latency; ms, in any order. */
  atMs: Float64Array;
  latencyMs: Float64Array;
  durationMs: number;
  columns: number;
};

/**
 * Latency over time, the worst of each stretch as a bar on a logarithmic axis: short stalls stand
 * out, however long the run. A stretch of which no frame arrived has a cross.
 */
export function renderTimePlot({ title, atMs, latencyMs, durationMs, columns }: TimePlot, paint: Paint): string[] {
  const worst = new Float64Array(columns);
  for (const [index, at] of atMs.entries()) {
    const column = Math.min(columns - 1, Math.floor((at / durationMs) * columns));
    worst[column] = Math.max(worst[column]!, latencyMs[index]!);
  }
  const seen = worst.filter((ms) => ms > 0);
  const scale = logScale(Math.min(...seen) / 2, Math.max(...seen));
  const labels = rowLabels(scale.ticks, scale.at);
  const lines = Array.from({ length: rows }, (_, index) => {
    const row = rows - 1 - index;
    const bars = Array.from(worst, (ms) => {
      if (ms === 0) return row === 0 ? paint.bad('×') : ' ';
      return paintOf(ms, paint)(block(scale.at(ms) * rows - row));
    });
    const label = labels.get(row);
    return `${(label ?? '').padStart(labelWidth)} ${label ? '┤' : '│'}${bars.join('')}`;
  });
  const crosses = seen.length < columns ? ' (×: none of them arrived)' : '';
  return [
    title + crosses,
    ...lines,
    `${' '.repeat(labelWidth)} └${'─'.repeat(columns)}`,
    timeAxis(durationMs, columns),
  ];
}

export const labelWidth = 7;
const rows = 8;
const blocks = ' ▁▂▃▄▅▆▇█';

/** How much of a cell is filled, in eighths. */
function block(filled: number): string {
  return blocks[Math.max(0, Math.min(8, Math.round(filled * 8)))]!;
}

/** Ticks by the row that they fall into, counted from below; a row keeps its roundest. */
export function rowLabels(ticks: readonly number[], at: (ms: number) => number, height = rows): Map<number, string> {
  const labels = new Map<number, string>();
  const roundFirst = [...ticks].sort((a, b) => roundness(a) - roundness(b));
  for (const tick of roundFirst) {
    const row = Math.min(height - 1, Math.round(at(tick) * height));
    if (!labels.has(row)) labels.set(row, tickText(tick));
  }
  return labels;
}

/** Powers of ten before the halves and fifths of them. */
function roundness(tick: number): number {
  return Math.abs(Math.log10(tick) - Math.round(Math.log10(tick))) < 1e-9 ? 0 : 1;
}

function timeAxis(durationMs: number, columns: number): string {
  const [from, middle, to] = ['0', lengthText(durationMs / 2), lengthText(durationMs)] as const;
  const left = from.padEnd(Math.floor(columns / 2 - middle.length / 2)) + middle;
  return `${' '.repeat(labelWidth + 2)}${left}${to.padStart(columns - left.length)}`;
}

function paintOf(ms: number, paint: Paint): (text: string) => string {
  return ms > 1000 ? paint.bad : ms > 400 ? paint.warn : paint.good;
}
