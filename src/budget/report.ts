import { tenthsMs } from '../format.ts';
import type { Analysis } from './analyse.ts';
import { guaranteedLevel, partsOf, promisedLevel } from './decompose/stage-report.ts';
import type { Exemplar } from './exemplars.ts';
import { type Group, mostGroups } from './split.ts';
import type { SplitLabel } from './traces/split-labels.ts';
import type { TraceTable } from './traces/table.ts';

/**
 * Everything that one run of `speechfb budget` says; text, Markdown, JSON and charts are functions
 * of it.
 */
export type BudgetReport = {
  analysis: Analysis;
  by: { label: SplitLabel; groups: readonly Group[] } | undefined;
  exemplars: readonly Exemplar[];
  notes: readonly string[];
};

/** What traces are taken to be where not all name a session, or where somebody asked for it. */
export function traceSessionNotes({ n, sessions }: TraceTable, assumeIndependent: boolean): string[] {
  const named = sessions.slice(0, n).filter((session) => session !== undefined);
  if (named.length === 0) return [];
  if (assumeIndependent) return ['traces of one session are taken as independent (--assume-independent)'];
  const unnamed = n - named.length;
  return unnamed === 0 ? [] : [`${unnamed} of ${n} traces name no session: each is taken as one of its own`];
}

/** Said when a label has more values than are judged. */
export function groupNotes({ labels }: TraceTable, label: SplitLabel): string[] {
  const more = labels[label].values.length - mostGroups;
  return more > 0 ? [`${more} more values of ${label} are not shown; these ${mostGroups} have most traces`] : [];
}

/** What a reader of the stage table must know so as not to add or promise the wrong things. */
export function reportNotes({ budget, total, stages, source, unattributed }: Analysis): string[] {
  if (!total) return [];
  const { percentile } = budget.objective;
  const p = percentile / 100;
  const notes: string[] = [];
  const sum = stages.reduce((all, { p95Ms }) => all + p95Ms, 0);
  if (percentile === 95) {
    notes.push(
      `the stages' own p95s sum to ${tenthsMs(sum)}, the total's p95 is ${tenthsMs(total.valueMs)}: percentiles do not add, shares do`,
    );
  }
  const parts = partsOf(budget);
  if (budget.interpretation !== 'contribution') {
    notes.push(
      `${parts} parts that each keep their own p${percentile} promise only p${level(promisedLevel(p, parts))} end to end; p${percentile} whatever their dependence needs p${level(guaranteedLevel(p, parts))} of each`,
    );
  }
  if (total.never > 0)
    notes.push(`${total.never} of ${total.n} feedbacks never came: they count as infinitely late and have no shares`);
  if (source === 'predicted')
    notes.push(`predicted from ${total.n} simulated traces, seed ${budget.seed}; nothing was measured`);
  if (unattributed && unattributed.ms < -0.5) {
    notes.push(
      `the stages claim ${tenthsMs(-unattributed.ms)} more than there was: they overlap; spans in the traces would tell which`,
    );
  }
  return notes;
}

function level(p: number): string {
  return String(Number((100 * p).toFixed(2)));
}
