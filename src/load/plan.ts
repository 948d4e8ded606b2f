import { createHash } from 'node:crypto';
import { createRandom, type Random } from '../sim/random.ts';
import type { Labels } from '../slo/metrics.ts';
import { slotMs } from './wheel.ts';

/** What one learner does and when, in ms from the start of the test; decided before it begins, whatever the server does. */
export type LearnerPlan = {
  /** Unique in the whole test, also across shards; every random stream of the learner is keyed by it. */
  learner: number;
  /** When the app opens its connection. */
  arrivalMs: number;
  /** When the learner stops speaking for good; the last finals come after. */
  leaveMs: number;
  /** Name of a network of the test, or `none`: straight to the socket, nothing simulated. */
  network: string;
  /** Of everything the learner reads, as `en-US`. */
  language: string;
  utterances: readonly UtterancePlan[];
};

export type UtterancePlan = {
  /** Index into the clips. */
  clip: number;
  /** When the first sample is spoken. */
  beginMs: number;
  /** Whole frames of it that are spoken before the learner leaves or breaks off. */
  frames: number;
  /** Frames that the phone's voice activity detection holds back, as [from, to) in order: due, spoken in silence, never sent. */
  gated?: readonly (readonly [fromFrame: number, toFrame: number])[];
  /** The learner breaks off after `frames` and goes on with the next utterance at once. */
  bargeIn?: true;
};

/** The network of learners whose traffic is not simulated. */
export const noNetwork = 'none';

/** The labels that everything measured on this learner carries. */
export function labelsOf({ network, language }: LearnerPlan): Labels {
  return { profile: network === noNetwork ? 'direct' : network, language };
}

/** A part of the load's shape, for readings by part; ms from the start of the test. */
export type LoadStage = { name: string; beginMs: number; endMs: number };

export type PlanOptions = {
  learners: number;
  rampMs: number;
  durationMs: number;
  frameMs: number;
  pauseMs: number;
  seed: number;
  /** Length of each clip, ms, and the sample rate and language, which one session cannot change. */
  clips: readonly { durationMs: number; sampleRateHz: number; language: string }[];
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
    const { utterances, language } = planUtterances(options, arrivalMs + leadMs, random);
    return { learner, arrivalMs, leaveMs: options.durationMs, network: noNetwork, language, utterances };
  });
}

/** The first 16 hex digits of a SHA-256 over the schedule: equal plans, equal hashes. */
export function planHash(plans: readonly LearnerPlan[]): string {
  return createHash('sha256').update(JSON.stringify(plans)).digest('hex').slice(0, 16);
}

function planUtterances(
  options: PlanOptions,
  firstBeginMs: number,
  random: Random,
): { utterances: UtterancePlan[]; language: string } {
  const { clips, durationMs, frameMs, pauseMs } = options;
  const first = clips[Math.floor(random() * clips.length)];
  const mine = clips.flatMap((clip, index) =>
    clip.sampleRateHz === first?.sampleRateHz && clip.language === first.language ? [index] : [],
  );
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
  return { utterances, language: first?.language ?? 'en-US' };
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
