import type { Labels } from '../../metrics/definitions.ts';

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
  /** Language of everything that the learner reads, as `en-US`. */
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
  /** Frames that the device's voice activity detection holds back, as [from, to) in order: due, spoken in silence, never sent. */
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

/** A part of the load profile, for figures by phase; ms from the start of the test. */
export type LoadPhase = { name: string; beginMs: number; endMs: number };
