import { fits } from '../../metrics/definitions.ts';
import { confidence, missShareOf } from '../../slo/objective/judging.ts';
import { sessionsNeeded } from '../../slo/objective/sessions-needed.ts';
import { labelsOf } from '../plan/learner-plan.ts';
import type { PreparedLoad } from './prepare.ts';
import { expectedSamples, unprovable } from './proof.ts';
import type { LoadScenario } from './scenario.ts';

/** How many sessions an objective has, and how many prove it when nothing misses. */
export type SessionNeed = {
  objective: string;
  sessions: number;
  /** If samples of one session were independent: with fewer nothing can prove it. */
  least: number;
  /** If they were all alike: so many prove it however much sessions differ. */
  most: number;
};

/**
 * The need of each objective that is judged from a sample and whose samples the schedule foretells.
 */
export function sessionNeeds({ spec }: LoadScenario, { plans }: PreparedLoad): SessionNeed[] {
  return spec.objectives.flatMap((objective) => {
    const missShare = missShareOf(objective);
    const samples = expectedSamples(objective, plans, spec);
    if (missShare === undefined || !samples) return [];
    const sessions = plans.filter((plan) => fits(labelsOf(plan), objective.selector)).length;
    const samplesASession = Math.max(1, samples / sessions);
    return [{ objective: objective.source, sessions, ...sessionsNeeded({ missShare, samplesASession, confidence }) }];
  });
}

/**
 * The objectives that a whole test has samples enough to prove, but too few sessions that they come
 * from.
 */
export function tooFewSessions(scenario: LoadScenario, prepared: PreparedLoad): SessionNeed[] {
  if (prepared.shard) return [];
  const tooShort = unprovable(scenario, prepared).map(({ objective }) => objective);
  return sessionNeeds(scenario, prepared).filter(
    ({ objective, sessions, least }) => sessions < least && !tooShort.includes(objective),
  );
}
