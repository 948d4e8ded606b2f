import type { AcousticEngine, AcousticFrames } from '../acoustic/engine/types.ts';
import type { Reference } from './text/reference.ts';
import { type ScorerEvents, type ScorerOptions, type TimedResult, UtteranceScorer } from './utterance-scorer.ts';

/**
 * PCM in, feedback out: one utterance of one learner, the same code for `score`, `serve` and tests.
 * engine.open -> UtteranceScorer -> feedback each `emitIntervalMs` of audio.
 */
export type UtterancePipeline = {
  /** Mono samples at the model's rate in [-1, 1). */
  push(pcm: Float32Array): void;
  /** `ms` of audio was lost here: time passes, phones over it become `unscored`. */
  gap(ms: number): void;
  /** The text is over: flush, score with context, everything final. */
  finish(): Promise<TimedResult>;
  close(): void;
};

export type PipelineEvents = ScorerEvents & { onError(error: Error): void };

export type OpenUtterance = (
  engine: AcousticEngine,
  reference: Reference,
  options: ScorerOptions,
  events: PipelineEvents,
) => UtterancePipeline;

/** Where the frames of one utterance are scored: on this thread or on another. */
export type ScoringBackend = {
  markGap(startFrame: number, endFrame: number): void;
  take(frames: AcousticFrames): void;
  finish(pushedMs: number): Promise<TimedResult>;
  close(): void;
};

/**
 * Scores on the caller's thread.
 *
 * @throws SpeechfbError `invalid_reference` when the model does not know a phone of the reference.
 */
export const openUtterance: OpenUtterance = (engine, reference, options, events) => {
  const scorer = new UtteranceScorer(engine.model, reference, options, events);
  return joinPipeline(engine, events, {
    markGap: (start, end) => scorer.markGap(start, end),
    take: (frames) => scorer.take(frames),
    finish: async (pushedMs) => scorer.finish(pushedMs),
    close() {},
  });
};

/** The sound through the model, and its frames to where they are scored. */
export function joinPipeline(
  engine: AcousticEngine,
  events: { onError(error: Error): void },
  backend: ScoringBackend,
): UtterancePipeline {
  const { strideMs, sampleRateHz } = engine.model;
  const stream = engine.open(backend.take, (error) => events.onError(error));
  let pushedSamples = 0;
  const pushedMs = () => (pushedSamples / sampleRateHz) * 1000;
  const push = (pcm: Float32Array): void => {
    pushedSamples += pcm.length;
    stream.push(pcm);
  };
  return {
    push,
    gap(ms) {
      backend.markGap(Math.floor(pushedMs() / strideMs), Math.ceil((pushedMs() + ms) / strideMs));
      push(new Float32Array(Math.round((ms / 1000) * sampleRateHz)));
    },
    async finish() {
      await stream.end();
      return backend.finish(pushedMs());
    },
    close() {
      stream.close();
      backend.close();
    },
  };
}
