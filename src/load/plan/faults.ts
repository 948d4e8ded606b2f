import { createRandomStream } from '../../stats/random-stream.ts';
import type { LearnerFaultDetails, ServerFaultDetails } from '../fault/index.ts';
import type { LearnerPlan } from './learner-plan.ts';

/**
 * Something that goes wrong on purpose, ms from the start of the test; decided before it begins,
 * with the learners that it affects.
 */
export type FaultPlan = { atMs: number } & (
  | (LearnerFaultDetails & { learners: readonly number[] })
  | ServerFaultDetails
);

/**
 * A fault as a scenario asks for it: when, and for learners which share of those who are there
 * then.
 */
export type FaultRequest = { /** Once, or several times. */ atMs: readonly number[] } & (
  | (LearnerFaultDetails & { learners: FaultTargets })
  | ServerFaultDetails
);

/** A share above 0, up to 1, of the learners present; of one network alone when it is named. */
type FaultTargets = { share: number; network?: string };

/**
 * The faults with their targets, in order of time. The targets are drawn anew each time, at least
 * one; a fault that would affect nobody comes back in `idle` as [its place in `requests`, its
 * time].
 */
export function planFaults(
  requests: readonly FaultRequest[],
  plans: readonly LearnerPlan[],
  seed: number,
): { faults: FaultPlan[]; idle: [request: number, atMs: number][] } {
  const idle: [number, number][] = [];
  const faults = requests.flatMap(({ atMs: times, ...fault }, place) =>
    times.map((atMs, repeat): FaultPlan => {
      if (!('learners' in fault)) return { ...fault, atMs };
      const random = createRandomStream(seed, faultStream + place * 0x1000 + repeat);
      const learners = drawTargets(plans, fault.learners, atMs, random);
      if (learners.length === 0) idle.push([place, atMs]);
      return { ...fault, learners, atMs };
    }),
  );
  return { faults: faults.sort((a, b) => a.atMs - b.atMs), idle };
}

function drawTargets(
  plans: readonly LearnerPlan[],
  { share, network }: FaultTargets,
  atMs: number,
  random: () => number,
): number[] {
  const present = plans.filter(
    (plan) => plan.arrivalMs <= atMs && atMs < plan.leaveMs && (network === undefined || plan.network === network),
  );
  const drawn = present.map(({ learner }) => ({ learner, at: random() })).sort((a, b) => a.at - b.at);
  const count = Math.min(present.length, Math.max(1, Math.round(present.length * share)));
  return drawn
    .slice(0, count)
    .map(({ learner }) => learner)
    .sort((a, b) => a - b);
}

const faultStream = 0x3000_0000;
