import type { ModelPackage } from '../../acoustic/model/model-package.ts';
import type { PlainError } from '../../threads/plain-error.ts';
import type { LinkEnd } from '../../threads/thread-link.ts';
import type { Reference } from '../text/reference.ts';
import type { Feedback } from '../utterance-scorer.ts';

/** What a scoring thread is started with. All else that is said goes over the link. */
export type ScoringStart = { model: ModelPackage; link: LinkEnd };

/** The word that there is time to collect garbage. */
export type ToScoring = 'tidy';

/** Records to a scoring thread, of float64. */
export const toScoringKinds = {
  /** Utterance; see `writeFrames`. */
  frames: 0,
  /**
   * Utterance, speaker (those of one share their turns), key of the text, emit interval (ms),
   * its start on the session's clock (ms), likely phones a result names or -1.
   */
  opened: 1,
  /** Utterance, first frame, frame behind the last. */
  gap: 2,
  /** Utterance, sound that there was (ms). */
  finished: 3,
  /** Utterance. */
  closed: 4,
  /** Key of a text. */
  forgotten: 5,
  /** Utterance: what others want goes before what it wants from now on. */
  gaveWay: 6,
} as const;

/** Posted in its place among the records: a text that utterances refer to until it is forgotten. */
export type SharedText = { key: number; reference: Reference };

/** Records of a scoring thread, of float64. */
export const fromScoringKinds = {
  /** See `writeFeedback`. */
  feedback: 0,
  /** Records and texts heard so far, 1 while some of them wait, ms of work since before. */
  said: 1,
} as const;

/** Posted in its place among the records; `feedback` where it has no record's shape. */
export type FromScoring =
  /** A result as JSON: to clone its hundreds of objects takes several times as long. */
  | { id: number; resultJson: string }
  | { id: number; error: PlainError }
  | ({ id: number; feedback: Feedback } & FeedbackTimes);

/** On the shared clock: when a feedback's newest frames were sent, and when it was said. */
export type FeedbackTimes = { sentMs: number; saidMs: number };
