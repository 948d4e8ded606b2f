import type { LearnerPlan } from './learner-plan.ts';

/** Learners there at the same time, at most. */
export function peakConcurrency(plans: readonly LearnerPlan[]): number {
  const moves = plans.flatMap(({ arrivalMs, leaveMs }) => [
    { atMs: arrivalMs, by: 1 },
    { atMs: leaveMs, by: -1 },
  ]);
  // A learner who leaves at the moment another comes has left.
  moves.sort((a, b) => a.atMs - b.atMs || a.by - b.by);
  let present = 0;
  let most = 0;
  for (const { by } of moves) {
    present += by;
    most = Math.max(most, present);
  }
  return most;
}

/** How many learners are there at each of these times, which ascend. */
export function concurrencyAt(plans: readonly LearnerPlan[], timesMs: readonly number[]): number[] {
  const arrivals = plans.map(({ arrivalMs }) => arrivalMs).sort((a, b) => a - b);
  const leaves = plans.map(({ leaveMs }) => leaveMs).sort((a, b) => a - b);
  let [come, gone] = [0, 0];
  return timesMs.map((atMs) => {
    while (come < arrivals.length && arrivals[come]! <= atMs) come++;
    while (gone < leaves.length && leaves[gone]! <= atMs) gone++;
    return come - gone;
  });
}
