import { createHash } from 'node:crypto';
import type { Labels } from '../../metrics/definitions.ts';
import { arrivalsOf } from './arrivals.ts';
import type { FaultPlan } from './faults.ts';
import { choose, mixPoint, type Weighted } from './mix.ts';
import type { LoadShape } from './shape.ts';
import { type Habits, leadMs, type PlanClip, planUtterances } from './utterances.ts';

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

/** How measurements call what is on no simulated network. */
export const unshaped = 'direct';

/** The labels that everything measured on this learner carries. */
export function labelsOf({ network, language }: LearnerPlan): Labels {
  return { profile: network === noNetwork ? unshaped : network, language };
}

/** A part of the load's shape, for readings by part; ms from the start of the test. */
export type LoadStage = { name: string; beginMs: number; endMs: number };

export type PlanOptions = {
  shape: LoadShape;
  habits: Habits;
  seed: number;
  clips: readonly PlanClip[];
  /** Which clips learners read, as indexes into `clips`, by weight; undefined: all of them. */
  readings?: readonly (Weighted & { clips: readonly number[] })[];
  /** Undefined or empty: everybody is on `none`. */
  networks?: readonly (Weighted & { network: string })[];
};

/** An open-loop schedule of every learner of a test, by number. Same options, same plan. */
export function planLearners(options: PlanOptions): LearnerPlan[] {
  const { shape, habits, seed, clips, networks = [] } = options;
  const { readings = [{ weight: 1, clips: [...clips.keys()] }] } = options;
  return arrivalsOf(shape, seed, leadMs + 2 * habits.frameMs).map((stay, learner) => {
    const point = mixPoint(seed, learner);
    const choices = choose(readings, point.clips)?.clips ?? [];
    const utterances = planUtterances(clips, choices, stay, habits, { seed, learner });
    const language = clips[utterances[0]?.clip ?? 0]?.language ?? 'en-US';
    const network = choose(networks, point.network)?.network ?? noNetwork;
    return { learner, ...stay, network, language, utterances };
  });
}

/** The first 16 hex digits of a SHA-256 over a schedule: equal plans, equal hashes. */
export function planHash(plans: readonly LearnerPlan[], faults: readonly FaultPlan[] = []): string {
  const hash = createHash('sha256');
  for (const plan of plans) hash.update(`${JSON.stringify(plan)}\n`);
  return hash.update(JSON.stringify(faults)).digest('hex').slice(0, 16);
}
