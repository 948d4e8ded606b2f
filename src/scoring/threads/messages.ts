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
 * Everything since the message before, for all utterances of the thread, in this order: texts,
 * opened, gaps, frames, finished, closed, forgotten texts.
 */
export type ScoringUpdates = {
  /** Texts that utterances refer to by their keys until they are forgotten. */
  texts: { key: number; reference: Reference }[];
  /** The utterances of one speaker share their turns. */
  opened: { id: number; speaker: string; text: number; options: ScorerOptions }[];
  gaps: { id: number; startFrame: number; endFrame: number }[];
  /** As they came from the model's thread; absent: no frames. */
  frames: Results | undefined;
  finished: { id: number; pushedMs: number }[];
  closed: number[];
  forgotten: number[];
  /** Shared clock. */
  sentMs: number;
};

export type FromScoring = {
  /** `sentMs`: when the frames that it speaks of were sent, on the shared clock. */
  feedback: { id: number; feedback: Feedback; sentMs: number }[];
  results: { id: number; result: TimedResult }[];
  failed: { id: number; error: PlainError }[];
  /** When the thread spoke, on the shared clock. */
  saidMs: number;
  /** Messages that it has looked at so far. */
  heard: number;
  /** Whether it still works on some of them. */
  isBusy: boolean;
  /** Time that the thread spent since it spoke before. */
  busyMs: number;
};
