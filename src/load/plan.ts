import { createHash } from 'node:crypto';
import { createRandom, type Random } from '../sim/random.ts';
import type { Labels } from '../slo/metrics.ts';
import { slotMs } from './wheel.ts';

/** What one learner does and when, in ms from the start of the test; decided before it begins, whatever the server does. */
export type LearnerPlan = {
  learner: number;
  /** When the app opens its connection. */
  arrivalMs: number;
  /** The name of the phone's network; absent or `none`: straight to the socket, unshaped. */
  network?: string;
  /** BCP 47; absent: en-US. */
  language?: string;
  utterances: readonly UtterancePlan[];
};

/** The labels that everything measured on this learner carries. */
export function labelsOf({ network = 'none', language = 'en-US' }: LearnerPlan): Labels {
  return { profile: network === 'none' ? 'direct' : network, language };
}

export type UtterancePlan = {
  /** Index into the clips. */
  clip: number;
  /** When the first sample is spoken. */
  beginMs: number;
  /** Whole frames of it that are spoken before the test ends. */
  frames: number;
};

export type PlanOptions = {
  learners: number;
  rampMs: number;
  durationMs: number;
  frameMs: number;
  pauseMs: number;
  seed: number;
  /** Length of each clip, ms, and the sample rate, which one session cannot change. */
  clips: readonly { durationMs: number; sampleRateHz: number }[];
};

/** From opening the connection to the first word: a person who taps and then begins to read. */
const leadMs = 300;

/**
 * An open-loop schedule: arrivals spread evenly over the ramp, each jittered within its share of it; every learner reads
 * clips of one sample rate in an order of its own until the test ends. Times lie on the wheel's grid. Same options, same
 * plan.
 */
export function planLearners(options: PlanOptions): LearnerPlan[] {
  return Array.from({ length: options.learners }, (_, learner) => {
    const random = createRandom(options.seed, learner);
    const share = options.rampMs / options.learners;
    const arrivalMs = onGrid((learner + random()) * share);
    return { learner, arrivalMs, utterances: planUtterances(options, arrivalMs + leadMs, random) };
  });
}

/** The first 16 hex digits of a SHA-256 over the schedule: equal plans, equal hashes. */
export function planHash(plans: readonly LearnerPlan[]): string {
  return createHash('sha256').update(JSON.stringify(plans)).digest('hex').slice(0, 16);
}

function planUtterances(options: PlanOptions, firstBeginMs: number, random: Random): UtterancePlan[] {
  const { clips, durationMs, frameMs, pauseMs } = options;
  const first = clips[Math.floor(random() * clips.length)];
  const mine = clips.flatMap((clip, index) => (clip.sampleRateHz === first?.sampleRateHz ? [index] : []));
  const utterances: UtterancePlan[] = [];
  let beginMs = onGrid(firstBeginMs);
  let deck: number[] = [];
  while (beginMs + frameMs <= durationMs) {
    if (deck.length === 0) deck = shuffled(mine, random);
    const clip = deck.pop();
    if (clip === undefined) break;
    const whole = Math.ceil(clips[clip]!.durationMs / frameMs);
    const frames = Math.min(whole, Math.floor((durationMs - beginMs) / frameMs));
    utterances.push({ clip, beginMs, frames });
    beginMs = onGrid(beginMs + frames * frameMs + pauseMs);
  }
  return utterances;
}

function onGrid(ms: number): number {
  return Math.ceil(ms / slotMs) * slotMs;
}

/** Fisher-Yates. */
function shuffled(items: readonly number[], random: Random): number[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}
