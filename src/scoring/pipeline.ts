import type { AcousticEngine } from '../acoustic/types.ts';
import type { StageTimings } from '../protocol/stages.ts';
import type { Reference } from './reference.ts';
import type { Deviation, PhonemeResult, UtteranceResult } from './result.ts';

/**
 * PCM in, feedback out: one utterance of one learner, the same code for `score`, `serve` and tests.
 * engine.open -> LiveScorer -> feedback each `emitIntervalMs` of audio.
 */
export type PipelineEvents = {
  /** Phones new or changed since the call before, each `emitIntervalMs` of audio, and words confirmed so far. */
  onFeedback(feedback: Feedback): void;
  onError(error: Error): void;
};

export type Feedback = {
  /** Audio consumed by the model so far, ms. */
  audioMs: number;
  phonemes: readonly PhonemeResult[];
  /** Confirmed words of the reference, in order of reading. */
  words: readonly { wordIndex: number; text: string; startMs: number; endMs: number; isFinal: boolean }[];
  deviations: readonly Deviation[];
  /** queue, features, asr, scoring. */
  timing: StageTimings;
};

export type UtterancePipeline = {
  /** Mono samples at the model's rate in [-1, 1). */
  push(pcm: Float32Array): void;
  /** `ms` of audio was lost here: time passes, phones over it become `unscored`. */
  gap(ms: number): void;
  /** The text is over: flush, score with context, everything final. */
  finish(): Promise<UtteranceResult & { timing: StageTimings }>;
  close(): void;
};

export type PipelineOptions = { emitIntervalMs: number };

export type OpenUtterance = (
  engine: AcousticEngine,
  reference: Reference,
  options: PipelineOptions,
  events: PipelineEvents,
) => UtterancePipeline;
