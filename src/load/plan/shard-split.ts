import type { FaultPlan } from './faults.ts';
import type { LearnerPlan } from './learner-plan.ts';

/** Which part of a test runs here: the `index`-th, from 1, of `count`. */
export type ShardOf = { index: number; count: number };

/** The learners of a part of a test, and its faults. */
type Part = { plans: LearnerPlan[]; faults: FaultPlan[] };

/**
 * One part of a plan: every `count`-th learner, with the number and so the random streams of the
 * whole plan, and the faults that affect them. All parts together are the whole, and each has the
 * load's shape and mix.
 */
export function partOf(plans: readonly LearnerPlan[], faults: readonly FaultPlan[], { index, count }: ShardOf): Part {
  return partition(plans, faults, ({ learner }) => learner % count === index - 1);
}

/**
 * The learners that are kept, and the faults that affect them; faults of the server go with every
 * part.
 */
export function partition(
  plans: readonly LearnerPlan[],
  faults: readonly FaultPlan[],
  keep: (plan: LearnerPlan, index: number) => boolean,
): Part {
  const kept = plans.filter(keep);
  const mine = new Set(kept.map(({ learner }) => learner));
  return {
    plans: kept,
    faults: faults.flatMap((fault): FaultPlan[] => {
      if (!('learners' in fault)) return [fault];
      const learners = fault.learners.filter((learner) => mine.has(learner));
      return learners.length === 0 ? [] : [{ ...fault, learners }];
    }),
  };
}
