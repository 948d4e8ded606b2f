import { type Analysis, analyse } from './analyse.ts';
import type { Budget } from './budget.ts';
import { pick, type Sample } from './sample.ts';
import type { SplitLabel } from './split-labels.ts';
import type { TraceTable } from './trace-table.ts';

export type Group = { value: string; analysis: Analysis };

/** The same budget judged for each value of a label, the slowest first; what-ifs are left out. */
export function splitBy(budget: Budget, sample: Sample, table: TraceTable, label: SplitLabel): Group[] {
  const { codes, values } = table.labels[label];
  const members = values.map((): number[] => []);
  for (let i = 0; i < table.n; i++) members[codes[i]!]!.push(i);
  const alone = { ...budget, whatIf: [] };
  return members
    .flatMap((indices, code) =>
      indices.length === 0
        ? []
        : [{ value: values[code]!, analysis: analyse(alone, pick(sample, indices), 'measured') }],
    )
    .sort((a, b) => (b.analysis.total?.valueMs ?? 0) - (a.analysis.total?.valueMs ?? 0));
}
