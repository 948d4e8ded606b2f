import { formatMs, whole } from '../../format.ts';
import type { Paint } from './paint.ts';

/**
 * A quantity over time as a few lines of blocks, one column a value, with its highest value at the
 * axis; `marksMs` are moments to point at from below.
 */
export function levelChart(
  values: readonly number[],
  endMs: number,
  marksMs: readonly number[],
  paint: Paint,
): string[] {
  const most = Math.max(1, ...values);
  const margin = Math.max(5, whole(most).length + 1);
  const lines: string[] = [];
  for (let row = rows - 1; row >= 0; row--) {
    const label = row === rows - 1 ? whole(most) : '';
    const cells = values.map(
      (value) => blocks[Math.max(0, Math.min(8, Math.round((value / most) * rows * 8) - row * 8))],
    );
    lines.push(`${label.padStart(margin)} ${paint.dim('┤')}${paint.good(cells.join('').trimEnd())}`);
  }
  lines.push(`${'0'.padStart(margin)} ${paint.dim(`└${'─'.repeat(values.length)}`)}`);
  if (marksMs.length > 0) lines.push(`${' '.repeat(margin + 2)}${paint.warn(marks(values.length, endMs, marksMs))}`);
  lines.push(`${' '.repeat(margin + 2)}${paint.dim(ticks(values.length, endMs))}`);
  return lines;
}

function marks(width: number, endMs: number, marksMs: readonly number[]): string {
  const cells = Array.from({ length: width }, () => ' ');
  for (const ms of marksMs) cells[Math.min(width - 1, Math.floor((ms / endMs) * width))] = '▲';
  return `${cells.join('').trimEnd()} fault${marksMs.length > 1 ? 's' : ''}`;
}

/** The beginning, the middle and the end. */
function ticks(width: number, endMs: number): string {
  const middle = formatMs(endMs / 2);
  const end = formatMs(endMs);
  const left = '0'.padEnd(Math.max(2, Math.round(width / 2 - middle.length / 2)));
  return `${left}${middle}`.padEnd(width - end.length) + end;
}

const rows = 6;
const blocks = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
