import { fits, type MetricName } from '../../metrics/definitions.ts';
import type { Objective } from '../../slo/objective/expression.ts';
import { type SamplesNeeded, samplesNeeded } from '../../slo/objective/proof-need.ts';
import { type LearnerPlan, labelsOf } from '../plan/learner-plan.ts';
import type { PreparedLoad } from './prepare.ts';
import type { LoadScenario } from './scenario.ts';

/** An objective that a test is too short to prove, however good the server is. */
export type Unprovable = {
  objective: string;
  /** Samples that the schedule brings, and the fewest that prove it. */
  expected: number;
  needed: number;
  /** How long the test would be that brings them, and with how many sessions this one does. */
  durationMs: number;
  sessions: number;
};

/**
 * The objectives that a whole test cannot prove, before it runs: the schedule is known, and with it
 * how many feedbacks, utterances and sessions are due. Nothing is said of what only the server or
 * the network decides (phones scored, sockets lost), nor of one phase, nor of a shard, whose
 * objectives are judged after the merge.
 */
export function unprovable(
  { spec }: LoadScenario,
  { plans, shard }: PreparedLoad,
  needs: SamplesNeeded = samplesNeeded,
): Unprovable[] {
  if (shard) return [];
  return spec.objectives.flatMap((objective) => {
    const needed = needs(objective);
    const expected = expectedSamples(objective, plans, spec);
    if (needed === undefined || expected === undefined || expected === 0 || expected >= needed) return [];
    const times = needed / expected;
    const durationMs = Math.ceil(((spec.duration - spec.warmup) * times + spec.warmup) / 1000) * 1000;
    return [{ objective: objective.source, expected, needed, durationMs, sessions: Math.ceil(plans.length * times) }];
  });
}

type Timing = Pick<LoadScenario['spec'], 'warmup' | 'learners'>;

/** Samples that the schedule brings; undefined where it does not decide them. */
export function expectedSamples(
  { metric, selector }: Objective,
  plans: readonly LearnerPlan[],
  timing: Timing,
): number | undefined {
  const count = counters[metric];
  if (!count || selector.phase !== undefined) return undefined;
  const chosen = plans.filter((plan) => fits(labelsOf(plan), selector));
  return chosen.reduce((sum, plan) => sum + count(plan, timing), 0);
}

type Counter = (plan: LearnerPlan, timing: Timing) => number;

const counters: Partial<Record<MetricName, Counter>> = {
  feedback_latency: feedbackIntervals,
  availability: feedbackIntervals,
  final_latency: utterances,
  first_partial: utterances,
  goodput: utterances,
  connect_time: (plan, { warmup }) => Number(plan.arrivalMs >= warmup),
  session_success: () => 1,
  sessions_refused: () => 1,
  sessions_died: () => 1,
  sessions_sent_away: () => 1,
};

/**
 * Feedbacks that are due after the warm-up; those that fall away around held-back sound are counted
 * too.
 */
function feedbackIntervals({ utterances: spoken }: LearnerPlan, { warmup, learners }: Timing): number {
  const { frame, emitInterval } = learners;
  return spoken.reduce((sum, { beginMs, frames }) => {
    const all = Math.floor((frames * frame) / emitInterval + 1e-9);
    const before = Math.max(0, Math.ceil((warmup - beginMs + frame) / emitInterval) - 1);
    return sum + Math.max(0, all - before);
  }, 0);
}

function utterances({ utterances: spoken }: LearnerPlan, { warmup, learners }: Timing): number {
  return spoken.filter(({ beginMs, frames }) => beginMs + frames * learners.frame >= warmup).length;
}
