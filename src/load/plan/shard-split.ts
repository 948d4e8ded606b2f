import type { FaultPlan } from './faults.ts';
import type { LearnerPlan } from './learner-plan.ts';

/** Which part of a test runs here: the `index`-th, from 1, of `count`. */
export type ShardOf = { index: number; count: number };

/**
 * One part of a plan: every `count`-th learner, with the number and so the random streams of the whole plan, and the faults
 * that hit them. All parts together are the whole, and each has the load's shape and mix.
 */
export function partOf(
  plans: readonly LearnerPlan[],
  faults: readonly FaultPlan[],
  { index, count }: ShardOf,
): { plans: LearnerPlan[]; faults: FaultPlan[] } {
  const mine = ({ learner }: { learner: number }) => learner % count === index - 1;
  return {
    plans: plans.filter(mine),
    faults: faults.flatMap((fault): FaultPlan[] => {
      if (!('learners' in fault)) return [fault];
      const learners = fault.learners.filter((learner) => mine({ learner }));
      return learners.length === 0 ? [] : [{ ...fault, learners }];
    }),
  };
}
