import type { CapacityResult } from '../../capacity/plan/result.ts';
import { dollars, formatMs, percent, whole } from '../../format.ts';
import { alignColumns } from '../terminal/columns.ts';

export type SweepRow = { value: string | number; result: CapacityResult };

/** `--sweep --json`: each row a result without its timeline and details. */
export function sweepJson(key: string, rows: readonly SweepRow[]) {
  return {
    sweep: { key, values: rows.map(({ value }) => value) },
    rows: rows.map(({ value, result: { details: _, simulation, ...rest } }) => {
      const { timeline: __, ...outcome } = simulation;
      return { value, ...rest, simulation: outcome };
    }),
  };
}

/** A table, and bars of the speech that went without feedback. */
export function renderSweep(key: string, rows: readonly SweepRow[]): string {
  const heading = [key, 'pods', 'headroom', 'peak', 'degraded', 'p95 wait', '$/served min', 'verdict'];
  const lines = rows.map(({ value, result: { pods, simulation, verdict } }) => [
    String(value),
    whole(pods.minimum),
    whole(pods.with_headroom),
    whole(simulation.peak_pods),
    percent(simulation.degraded_share),
    formatMs(simulation.p95_wait_ms ?? Number.POSITIVE_INFINITY),
    simulation.cost.per_served_minute === null ? '-' : dollars(simulation.cost.per_served_minute),
    verdict,
  ]);
  const table = alignColumns([heading, ...lines], '<>>>>>>>').map((line) => `  ${line}`);
  const most = Math.max(...rows.map(degraded));
  const bars = rows.map((row) => {
    const bar = '█'.repeat(most === 0 ? 0 : Math.round((40 * degraded(row)) / most));
    return `  ${String(row.value).padEnd(14)}${bar} ${whole(degraded(row))}`;
  });
  const notes = turns(rows.map(degraded)) ? ['', `  ${whyItTurns}`] : [];
  return `${[...table, '', `  stream-minutes without feedback, by ${key}`, ...bars, ...notes].join('\n')}\n`;
}

/** Headroom 0, 20, 40 % looks like a mistake where the smallest fleet does better than the next. */
const whyItTurns =
  'more is not always better here: an autoscaler leaves alone what is within its tolerance, so that a fleet\n' +
  '  just below it may be scaled before the spike and meet it with more pods than one that was larger';

/** Whether the values both rise and fall by more than a hundredth. */
function turns(values: readonly number[]): boolean {
  const steps = values.slice(1).map((value, i) => value - values[i]!);
  const least = 0.01 * Math.max(...values);
  return steps.some((step) => step > least) && steps.some((step) => step < -least);
}

function degraded({ result }: SweepRow): number {
  return result.simulation.degraded_stream_minutes;
}
