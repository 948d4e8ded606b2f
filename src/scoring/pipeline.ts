import type { AcousticEngine, AcousticFrames, AcousticStream, Samples } from '../acoustic/engine/types.ts';
import { checkReadable } from './align/graph.ts';
import type { Reference } from './text/reference.ts';
import { type ScorerEvents, type ScorerOptions, type TimedResult, UtteranceScorer } from './utterance-scorer.ts';

/**
 * PCM in, feedback out: one utterance of one learner, the same code for `score`, `serve` and tests.
 * engine.open -> UtteranceScorer -> feedback each `emitIntervalMs` of audio.
 */
export type UtterancePipeline = {
  /** The samples are copied: the array may be used again. */
  push(pcm: Samples): void;
  /** `ms` of audio was lost here: time passes, phones over it become `unscored`. */
  gap(ms: number): void;
  /** The text is over: flush, score with context, everything final. */
  finish(): Promise<TimedResult>;
  /**
   * Sound of others is heard and scored before its own from now on. Absent where that is decided
   * elsewhere.
   */
  giveWay?(): void;
  close(): void;
};

export type PipelineEvents = ScorerEvents & { onError(error: Error): void };

/**
 * `speaker`: the utterances of one share the turns that it has among others; absent: its own.
 * `canWait`: others go before it. `traceparent`: the span that it is below where somebody traces
 * (W3C Trace Context), for whoever scores it in another program.
 */
export type UtteranceSettings = ScorerOptions & { speaker?: string; canWait?: boolean; traceparent?: string };

export type OpenUtterance = (
  engine: AcousticEngine,
  reference: Reference,
  settings: UtteranceSettings,
  events: PipelineEvents,
) => UtterancePipeline;

/** Where the frames of one utterance are scored: on this thread or on another. */
export type ScoringBackend = {
  markGap(startFrame: number, endFrame: number): void;
  take(frames: AcousticFrames): void;
  finish(pushedMs: number): Promise<TimedResult>;
  /** See `UtterancePipeline.giveWay`. */
  giveWay(): void;
  close(): void;
};

/**
 * Scores on the caller's thread.
 *
 * @throws SpeechfbError `invalid_reference` when the model does not know a phone of the reference.
 */
export const openUtterance: OpenUtterance = (engine, reference, options, events) => {
  checkReadable(reference, engine.model);
  const scorer = () => new UtteranceScorer(engine.model, reference, options, events);
  return new JoinedPipeline(engine, events, {
    canWait: options.canWait,
    open() {
      const opened = scorer();
      return {
        markGap: (start, end) => opened.markGap(start, end),
        take: (frames) => opened.take(frames),
        finish: async (pushedMs) => opened.finish(pushedMs),
        giveWay() {},
        close() {},
      };
    },
    unheard: () => scorer().finish(0),
  });
};

/** What becomes of an utterance. */
export type Scorers = {
  /** Sound of others is heard and scored before its own; default false. */
  canWait?: boolean | undefined;
  /** There is sound; `canWait` as it is by then. */
  open(canWait: boolean): ScoringBackend;
  /**
   * None ever came. A result that is not wanted any more, since the utterance was closed, need not
   * be made.
   */
  unheard(isWanted: () => boolean): TimedResult | Promise<TimedResult>;
};

/**
 * The sound through the model, and its frames to where they are scored. Both are opened by the
 * first sound: a text that nobody reads costs neither.
 */
export class JoinedPipeline implements UtterancePipeline {
  readonly #engine: AcousticEngine;
  readonly #events: { onError(error: Error): void };
  readonly #scorers: Scorers;
  #heard: { stream: AcousticStream; backend: ScoringBackend } | undefined;
  /** No more sound is taken. */
  #isOver = false;
  #isClosed = false;
  #pushedSamples = 0;
  #canWait: boolean;

  constructor(engine: AcousticEngine, events: { onError(error: Error): void }, scorers: Scorers) {
    this.#engine = engine;
    this.#events = events;
    this.#scorers = scorers;
    this.#canWait = scorers.canWait ?? false;
  }

  push(pcm: Samples): void {
    if (this.#isOver || pcm.length === 0) return;
    const { stream } = this.#hear();
    this.#pushedSamples += pcm.length;
    stream.push(pcm);
  }

  gap(ms: number): void {
    if (this.#isOver) return;
    const { strideMs, sampleRateHz } = this.#engine.model;
    const fromMs = this.#pushedMs();
    this.#hear().backend.markGap(Math.floor(fromMs / strideMs), Math.ceil((fromMs + ms) / strideMs));
    this.push(new Float32Array(Math.round((ms / 1000) * sampleRateHz)));
  }

  async finish(): Promise<TimedResult> {
    this.#isOver = true;
    if (!this.#heard) return this.#scorers.unheard(() => !this.#isClosed);
    await this.#heard.stream.end();
    return this.#heard.backend.finish(this.#pushedMs());
  }

  giveWay(): void {
    this.#canWait = true;
    this.#heard?.stream.giveWay();
    this.#heard?.backend.giveWay();
  }

  close(): void {
    this.#isOver = true;
    this.#isClosed = true;
    this.#heard?.stream.close();
    this.#heard?.backend.close();
  }

  #hear(): { stream: AcousticStream; backend: ScoringBackend } {
    if (this.#heard) return this.#heard;
    const backend = this.#scorers.open(this.#canWait);
    const stream = this.#engine.open(backend.take, (error) => this.#events.onError(error), this.#canWait);
    this.#heard = { stream, backend };
    return this.#heard;
  }

  #pushedMs(): number {
    return (this.#pushedSamples / this.#engine.model.sampleRateHz) * 1000;
  }
}
