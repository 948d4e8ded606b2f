import type { Labels } from '../../metrics/definitions.ts';

/**
 * What one learner does and when, in ms from the start of the test; decided before it begins,
 * whatever the server does.
 */
export type LearnerPlan = {
  /**
   * Unique in the whole test, also across shards; every random stream of the learner is keyed by
   * it.
   */
  learner: number;
  /** When the app opens its connection. */
  arrivalMs: number;
  /** When the learner stops speaking for good; the last finals come after. */
  leaveMs: number;
  /**
   * Name of a network of the test, or `none` for the direct one: straight to the socket, nothing
   * simulated.
   */
  network: string;
  /** The tenant that the learner belongs to, at a server with tenants. */
  tenant?: string;
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
  /**
   * Frames that the device's voice activity detection holds back, as [from, to) in order: due,
   * spoken in silence, never sent.
   */
  gated?: readonly (readonly [fromFrame: number, toFrame: number])[];
  /** The learner breaks off after `frames` and goes on with the next utterance at once. */
  bargeIn?: true;
};

/**
 * The direct network, on which nothing is simulated, as scenarios and plans (and so the schedule's
 * hash) write it.
 */
export const directNetwork = 'none';

/** The direct network as the label `profile` writes it. */
export const directProfile = 'direct';

/** The labels that everything measured on this learner carries. */
export function labelsOf({ network, language, tenant }: LearnerPlan): Labels {
  const profile = network === directNetwork ? directProfile : network;
  return { profile, language, ...(tenant !== undefined && { tenant }) };
}

/** A part of the load profile, for figures by phase; ms from the start of the test. */
export type LoadPhase = { name: string; beginMs: number; endMs: number };
