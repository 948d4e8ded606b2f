import { fits, type MetricName } from '../../metrics/definitions.ts';
import { confidence, missShareOf } from '../../slo/objective/judging.ts';
import { sessionsNeeded } from '../../slo/objective/sessions-needed.ts';
import { labelsOf } from '../plan/learner-plan.ts';
import type { PreparedLoad } from './prepare.ts';
import type { LoadScenario } from './scenario.ts';

/** How many sessions an objective has, and how many prove it when nothing misses. */
export type ProofNeed = {
  objective: string;
  sessions: number;
  /** If samples of one session were independent: with fewer nothing can prove it. */
  least: number;
  /** If they were all alike: so many prove it however much sessions differ. */
  most: number;
};

/** Of each objective that is judged from a sample and whose samples the schedule foretells. */
export function proofNeeds({ spec }: LoadScenario, { plans }: PreparedLoad): ProofNeed[] {
  const measured = Math.max(0, 1 - spec.warmup / spec.duration);
  return spec.objectives.flatMap((objective) => {
    const missShare = missShareOf(objective);
    const { phase: _, ...selector } = objective.selector;
    const chosen = plans.filter((plan) => fits(labelsOf(plan), selector));
    if (missShare === undefined || chosen.length === 0) return [];
    const samples = chosen.reduce((sum, plan) => sum + samplesOf(objective.metric, plan.utterances, spec.learners), 0);
    const samplesASession = (samples / chosen.length) * measured;
    if (!(samplesASession > 0)) return [];
    const needed = sessionsNeeded({ missShare, samplesASession: Math.max(1, samplesASession), confidence });
    return [{ objective: objective.source, sessions: chosen.length, ...needed }];
  });
}

/** What of the objectives this test is too small for, a sentence each. */
export function tooFewSessions(needs: readonly ProofNeed[]): string[] {
  return needs
    .filter(({ sessions, least }) => sessions < least)
    .map(
      ({ objective, sessions, least }) =>
        `${objective} cannot be proven by ${sessions} ${sessions === 1 ? 'session' : 'sessions'} as long as these: it takes at least ${least}`,
    );
}

type Speech = readonly { frames: number }[];

/** Samples of one session that the schedule foretells; 0 for what only the test shows, such as resumes. */
function samplesOf(metric: MetricName, utterances: Speech, { frame, emitInterval }: LoadScenario['spec']['learners']) {
  const frames = utterances.reduce((sum, one) => sum + one.frames, 0);
  switch (metric) {
    case 'feedback_latency':
    case 'partial_gap':
    case 'availability':
      return (frames * frame) / emitInterval;
    case 'first_partial':
    case 'final_latency':
    case 'goodput':
      return utterances.length;
    case 'connect_time':
    case 'session_success':
    case 'sessions_refused':
    case 'sessions_died':
      return 1;
    case 'lost_frames':
    case 'resent_frames':
    case 'dropped_by_app':
      return frames;
    default:
      return 0;
  }
}
