import type { ModelPackage } from '../../acoustic/model/model-package.ts';
import type { Results } from '../../acoustic/worker/worker-messages.ts';
import type { PlainError } from '../../threads/plain-error.ts';
import type { Reference } from '../text/reference.ts';
import type { Feedback, ScorerOptions, TimedResult } from '../utterance-scorer.ts';

/** What a scoring thread is started with. */
export type ScoringStart = { model: ModelPackage };

/** Updates, or the word that there is time to collect garbage. */
export type ToScoring = ScoringUpdates | 'tidy';

/**
 * Everything since the message before, for all utterances of the thread, in this order: opened,
 * gaps, frames, finished, closed.
 */
export type ScoringUpdates = {
  opened: { id: number; reference: Reference; options: ScorerOptions }[];
  gaps: { id: number; startFrame: number; endFrame: number }[];
  /** As they came from the model's thread; absent: no frames. */
  frames: Results | undefined;
  finished: { id: number; pushedMs: number }[];
  closed: number[];
  /** Shared clock. */
  sentMs: number;
};

export type FromScoring = {
  feedback: { id: number; feedback: Feedback }[];
  results: { id: number; result: TimedResult }[];
  failed: { id: number; error: PlainError }[];
  /** When the thread spoke, on the shared clock. */
  saidMs: number;
  /** When the frames that it speaks of were sent, on the shared clock. */
  sentMs: number;
  /** Time that the thread spent on them. */
  busyMs: number;
};
