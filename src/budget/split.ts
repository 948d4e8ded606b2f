import { type Analysis, analyse } from './analyse.ts';
import type { Budget } from './file/budget.ts';
import { pick, type Sample } from './sample/sample.ts';
import type { SplitLabel } from './traces/split-labels.ts';
import type { TraceTable } from './traces/table.ts';

export type Group = { value: string; analysis: Analysis };

/**
 * At most so many values of a label are judged, those with most traces: a label may be as fine as a
 * device's own name.
 */
export const mostGroups = 50;

/** The same budget judged for each value of a label, the slowest first; what-ifs are left out. */
export function splitBy(
  budget: Budget,
  sample: Sample,
  table: TraceTable,
  { label, doubt }: { label: SplitLabel; doubt?: string | undefined },
): Group[] {
  const { codes, values } = table.labels[label];
  const members = values.map((value) => ({ value, indices: [] as number[] }));
  for (let i = 0; i < table.n; i++) members[codes[i]!]!.indices.push(i);
  const alone = { ...budget, whatIf: [] };
  return members
    .filter(({ indices }) => indices.length > 0)
    .sort((a, b) => b.indices.length - a.indices.length)
    .slice(0, mostGroups)
    .map(({ value, indices }) => ({ value, analysis: analyse(alone, pick(sample, indices), 'measured', doubt) }))
    .sort((a, b) => slowness(b) - slowness(a));
}

function slowness({ analysis }: Group): number {
  return Math.min(Number.MAX_VALUE, analysis.total?.valueMs ?? 0);
}
