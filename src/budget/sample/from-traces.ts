import type { Problem } from '../../errors.ts';
import { didYouMean } from '../../suggest.ts';
import type { Budget } from '../file/budget.ts';
import type { TraceTable } from '../traces/table.ts';
import { clustersOf } from './clusters.ts';
import { type Sample, sampleOf } from './sample.ts';

export type BudgetSample = {
  sample: Sample;
  /** Trace stages that nothing counts. */
  unclaimed: readonly Problem[];
  /** Budget stages that no trace has. */
  absent: readonly Problem[];
  /** What the reader should know though it is no mistake. */
  notes: readonly string[];
};

/** The places that problems are quoted with. */
export type Places = {
  /** Where a trace stage first stands in the trace file. */
  ofTraceStage: (name: string) => string;
  /** Where the `index`-th budget stage stands in the budget file. */
  ofBudgetStage: (index: number) => string;
};

/**
 * Sums trace stages into the budget's. Every trace stage must be claimed by one budget stage or be
 * listed as unattributed, and every budget stage must find at least one of its trace stages: names
 * that drift apart are problems, not silence.
 */
export function budgetSample(table: TraceTable, budget: Budget, places: Places): BudgetSample {
  const traced = [...table.stages.keys()];
  const claimed = new Set([...budget.stages.flatMap(({ of }) => of), ...budget.unattributed, 'unattributed']);
  const notes: string[] = [];
  const later = traced.filter((each) => laterStages.has(each) && !claimed.has(each));
  for (const name of later)
    notes.push(`no stage of the budget counts "${name}": its time is unattributed; ${laterHint}`);
  const unclaimed = traced
    .filter((each) => !claimed.has(each) && !laterStages.has(each))
    .map((name) => ({
      where: places.ofTraceStage(name),
      message: `stages.${name}: no stage of the budget counts it${didYouMean(name, [...claimed])}; add it to a stage's "of" or to "unattributed"`,
    }));
  const missing: Problem[] = [];
  budget.stages.forEach(({ name, of }, index) => {
    const absent = of.filter((part) => !table.stages.has(part));
    if (absent.length === of.length) {
      const message = `stages.${index}: "${name}" sums ${of.join(' + ')}, which no trace has${didYouMean(of[0]!, traced)}; the traces have ${traced.join(', ') || 'no stages'}`;
      missing.push({ where: places.ofBudgetStage(index), message });
      return;
    }
    const asked = absent.filter((part) => !laterStages.has(part));
    if (asked.length > 0) notes.push(`"${name}": no trace has ${asked.join(', ')}; it counts as 0`);
  });
  const stages = budget.stages.map(({ name, of }) => ({ name, ms: sumColumns(table, of) }));
  return { sample: withTotals(stages, table), unclaimed, absent: missing, notes };
}

/**
 * Stages that our traces got when budgets were in use: a budget without one keeps its time
 * unattributed, as before.
 */
const laterStages: ReadonlySet<string> = new Set(['window']);
const laterHint = 'add it to the "of" of the stage that answers for it';

function sumColumns(table: TraceTable, names: readonly string[]): Float64Array {
  const sum = new Float64Array(table.n);
  for (const name of names) {
    const ms = table.stages.get(name)?.ms;
    if (ms) for (let i = 0; i < table.n; i++) sum[i]! += ms[i]!;
  }
  return sum;
}

/** The stages beside the measured totals; what they leave is unattributed. */
function withTotals(stages: Sample['stages'], table: TraceTable): Sample {
  const { n, totals } = table;
  const claimed = sampleOf(stages).totals;
  const unattributed = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    if (Number.isFinite(totals[i]!)) unattributed[i] = snapped(totals[i]! - claimed[i]!);
  }
  return { n, stages, unattributed, totals: totals.slice(), clusters: clustersOf(table.sessions, n) };
}

/** A remainder that is only the rounding of decimal fractions is none. */
function snapped(ms: number): number {
  return Math.abs(ms) < 1e-9 ? 0 : ms;
}
