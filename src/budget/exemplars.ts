import type { Sample } from './sample/sample.ts';
import type { TraceTable } from './traces/table.ts';

/** A real trace to open beside the averages, ms. */
export type Exemplar = {
  session: string | undefined;
  atMs: number | undefined;
  line: number;
  totalMs: number;
  stages: readonly { name: string; ms: number }[];
  unattributedMs: number;
};

/**
 * The `count` traces whose totals are nearest to `valueMs`: what the percentile looks like, though
 * none is the average.
 */
export function exemplarsNear(sample: Sample, table: TraceTable, valueMs: number, count: number): Exemplar[] {
  const nearest: { index: number; distance: number }[] = [];
  for (let index = 0; index < sample.n; index++) {
    const distance = Math.abs(sample.totals[index]! - valueMs);
    if (nearest.length === count && !(distance < nearest[count - 1]!.distance)) continue;
    nearest.push({ index, distance });
    nearest.sort((a, b) => a.distance - b.distance);
    nearest.length = Math.min(nearest.length, count);
  }
  return nearest
    .filter(({ distance }) => Number.isFinite(distance))
    .map(({ index }) => exemplarAt(sample, table, index));
}

function exemplarAt(sample: Sample, table: TraceTable, index: number): Exemplar {
  const at = table.atMs[index]!;
  return {
    session: table.sessions[index],
    atMs: Number.isFinite(at) ? at : undefined,
    line: table.lines[index]!,
    totalMs: sample.totals[index]!,
    stages: sample.stages.map(({ name, ms }) => ({ name, ms: ms[index]! })),
    unattributedMs: sample.unattributed[index]!,
  };
}
