import type { TimelinePoint } from '../../capacity/simulation/timeline.ts';

const mostColumns = 72;
const rows = 10;
/** Left of the drawing: a number and the axis. */
const labelWidth = 11;

/**
 * A run as text: each column a stretch of time, full blocks the streams that got feedback, shaded
 * ones those that waited, and a line where the pods' capacity ends. The row below counts the ready
 * pods.
 */
export function renderTimeline(points: readonly TimelinePoint[], durationMs: number, width = 100): string {
  if (points.length === 0) return '';
  const columns = Math.max(20, Math.min(mostColumns, width - labelWidth));
  const stretches = resample(points, durationMs, columns);
  const top = Math.max(1, ...stretches.map(({ wanted, capacity }) => Math.max(wanted, capacity)));
  const lines = Array.from({ length: rows }, (_, row) => {
    const low = (top * (rows - 1 - row)) / rows;
    const label = row === 0 || row === rows / 2 ? (low + top / rows).toFixed(0) : '';
    return `${label.padStart(9)} │${stretches.map((point) => cell(point, low, top / rows)).join('')}`.trimEnd();
  });
  const pods = Math.max(...stretches.map(({ ready }) => ready));
  const spark = stretches
    .map(({ ready }) => sparks[Math.ceil((ready / Math.max(1, pods)) * (sparks.length - 1))])
    .join('');
  const count = `up to ${pods} ready`;
  const fits = labelWidth + columns + 2 + count.length <= width;
  return [
    'streams:  █ with feedback   ░ waiting   ─ what the pods carry',
    ...lines,
    `${'0'.padStart(9)} └${'─'.repeat(columns)}`,
    `${' '.repeat(labelWidth)}${axis(durationMs, columns)}`,
    `${'pods'.padStart(9)}  ${spark}${fits ? `  ${count}` : `\n${' '.repeat(labelWidth)}${count}`}`,
  ].join('\n');
}

const sparks = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** One character: what fills most of this height. */
function cell({ wanted, waiting, capacity }: TimelinePoint, low: number, step: number): string {
  const middle = low + step / 2;
  if (wanted - waiting > middle) return '█';
  if (wanted > middle) return '░';
  return capacity > low && capacity <= low + step ? '─' : ' ';
}

/**
 * As many stretches as columns, each the worst of its points; a stretch without one repeats the
 * last.
 */
function resample(points: readonly TimelinePoint[], durationMs: number, columns: number): TimelinePoint[] {
  const stretches: TimelinePoint[] = [];
  let next = 0;
  for (let column = 0; column < columns; column++) {
    let worst: TimelinePoint | undefined;
    for (; next < points.length && points[next]!.at_ms < (durationMs * (column + 1)) / columns; next++) {
      if (!worst || points[next]!.waiting > worst.waiting) worst = points[next]!;
    }
    stretches.push(worst ?? stretches.at(-1) ?? points[0]!);
  }
  return stretches;
}

function axis(durationMs: number, columns: number): string {
  const [from, middle, to] = [0, durationMs / 2, durationMs].map((ms) => timeLabel(ms, durationMs));
  const left = `${from}${' '.repeat(Math.floor(columns / 2) - from!.length - Math.floor(middle!.length / 2))}${middle}`;
  return left + to!.padStart(columns - left.length);
}

/** A moment of a run, in the unit that suits the whole of it: `90 s`, `18.5 min`, `12 h`. */
export function timeLabel(ms: number, durationMs: number): string {
  const [unit, size] =
    durationMs <= 180_000
      ? (['s', 1000] as const)
      : durationMs <= 10_800_000
        ? (['min', 60_000] as const)
        : (['h', 3_600_000] as const);
  return `${Number((ms / size).toFixed(1))} ${unit}`;
}
