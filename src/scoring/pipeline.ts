import type { ModelPackage } from '../acoustic/model-package.ts';
import type { AcousticEngine, AcousticFrames } from '../acoustic/types.ts';
import type { StageTimings } from '../protocol/stages.ts';
import { type Calibrator, loadCalibrator } from './calibrator.ts';
import { LiveScorer } from './live-scorer.ts';
import type { ScoredPhone } from './phone-scorer.ts';
import type { Reference } from './reference.ts';
import type { Deviation, PhonemeResult, UtteranceResult } from './result.ts';
import { type JudgedPhone, judgeInContext, summarize } from './utterance.ts';

/**
 * PCM in, feedback out: one utterance of one learner, the same code for `score`, `serve` and tests.
 * engine.open -> LiveScorer -> feedback each `emitIntervalMs` of audio.
 */
export type PipelineEvents = {
  /** Each `emitIntervalMs` of audio. Without it nothing provisional is worked out. */
  onFeedback?(feedback: Feedback): void;
  /** All that was measured, phone by phone for each word, before `finish` resolves. */
  onEvidence?(words: readonly (readonly JudgedPhone[])[]): void;
  onError(error: Error): void;
};

export type Feedback = {
  /** Audio consumed by the model so far, ms. */
  audioMs: number;
  /** Phones new or changed since the call before; each is final once. */
  phonemes: readonly PhonemeResult[];
  /** Words of the reference that were begun, in order of the text; final once their last phone is. */
  words: readonly { wordIndex: number; text: string; startMs: number; endMs: number; isFinal: boolean }[];
  deviations: readonly Deviation[];
  /** queue, features, asr, scoring: of the newest frames, those that the feedback waited for. */
  timing: StageTimings;
};

export type UtterancePipeline = {
  /** Mono samples at the model's rate in [-1, 1). */
  push(pcm: Float32Array): void;
  /** `ms` of audio was lost here: time passes, phones over it become `unscored`. */
  gap(ms: number): void;
  /** The text is over: flush, score with context, everything final. `timing` is the sum over the utterance. */
  finish(): Promise<UtteranceResult & { timing: StageTimings }>;
  close(): void;
};

export type PipelineOptions = {
  emitIntervalMs: number;
  /** How many likely phones each result names; 3 when absent. */
  nbest?: number;
};

export type OpenUtterance = (
  engine: AcousticEngine,
  reference: Reference,
  options: PipelineOptions,
  events: PipelineEvents,
) => UtterancePipeline;

/** @throws SpeechfbError `invalid_reference` when the model does not know a phone of the reference. */
export const openUtterance: OpenUtterance = (engine, reference, options, events) =>
  new Utterance(engine, reference, options, events);

/** The model's calibration, read once a model. */
export function calibratorOf(model: ModelPackage): Calibrator {
  let calibrator = calibrators.get(model);
  if (!calibrator) {
    calibrator = loadCalibrator(model.calibrationPath, model);
    calibrators.set(model, calibrator);
  }
  return calibrator;
}

const calibrators = new WeakMap<ModelPackage, Calibrator>();

class Utterance implements UtterancePipeline {
  readonly #model: ModelPackage;
  readonly #reference: Reference;
  readonly #options: PipelineOptions;
  readonly #events: PipelineEvents;
  readonly #scorer: LiveScorer;
  readonly #stream: ReturnType<AcousticEngine['open']>;
  #pushedMs = 0;
  #nextEmitMs: number;
  /** Of the newest frames. */
  #newest = noTime();
  readonly #total = noTime();
  /** Words of which something was heard, by their place in the reference. */
  readonly #begun: (Feedback['words'][number] | undefined)[];

  constructor(engine: AcousticEngine, reference: Reference, options: PipelineOptions, events: PipelineEvents) {
    this.#model = engine.model;
    this.#reference = reference;
    this.#options = options;
    this.#events = events;
    this.#nextEmitMs = options.emitIntervalMs;
    this.#begun = reference.words.map(() => undefined);
    this.#scorer = new LiveScorer(reference, engine.model, calibratorOf(engine.model), { nbest: options.nbest ?? 3 });
    this.#stream = engine.open(
      (frames) => this.#take(frames),
      (error) => events.onError(error),
    );
  }

  push(pcm: Float32Array): void {
    this.#pushedMs += (pcm.length / this.#model.sampleRateHz) * 1000;
    this.#stream.push(pcm);
  }

  gap(ms: number): void {
    const { strideMs, sampleRateHz } = this.#model;
    const start = Math.floor(this.#pushedMs / strideMs);
    this.#scorer.markGap(start, Math.ceil((this.#pushedMs + ms) / strideMs));
    this.push(new Float32Array(Math.round((ms / 1000) * sampleRateHz)));
  }

  async finish(): Promise<UtteranceResult & { timing: StageTimings }> {
    await this.#stream.end();
    const begun = performance.now();
    this.#scorer.finish();
    const judged = judgeInContext(this.#scorer);
    this.#events.onEvidence?.(judged);
    const result = summarize(this.#scorer, this.#reference, judged, this.#model.strideMs, (phone) =>
      this.#lagMs(phone),
    );
    this.#total.scoring += performance.now() - begun;
    return { ...result, timing: this.#total };
  }

  close(): void {
    this.#stream.close();
  }

  #take(frames: AcousticFrames): void {
    const { queueMs, featuresMs, inferenceMs } = frames.timing;
    // Feedback waited for its newest frames alone: adding up all since the last would count time that passed side by side.
    this.#newest = { queue: queueMs, features: featuresMs, asr: inferenceMs, scoring: 0 };
    this.#total.queue += queueMs;
    this.#total.features += featuresMs;
    this.#total.asr += inferenceMs;
    // Frame by frame up to each moment of feedback, so that results do not depend on how the audio was cut.
    for (let row = 0; row < frames.count; ) {
      const begun = performance.now();
      const due = Math.ceil((this.#nextEmitMs - this.#model.lookaheadMs) / this.#model.strideMs) - this.#scorer.frames;
      const count = Math.min(frames.count - row, Math.max(1, due));
      this.#scorer.push(rows(frames, row, count));
      row += count;
      this.#spend(performance.now() - begun);
      if (this.#audioMs() >= this.#nextEmitMs) this.#emit();
    }
  }

  #emit(): void {
    const interval = this.#options.emitIntervalMs;
    this.#nextEmitMs = (Math.floor(this.#audioMs() / interval) + 1) * interval;
    if (!this.#events.onFeedback) return;
    const begun = performance.now();
    const { final, provisional } = this.#scorer.takeChanges();
    const phonemes = [...final, ...provisional].map(({ result }) => result);
    for (const word of new Set(final.map((phone) => phone.word))) this.#begin(word);
    const words = this.#begun.filter((word) => word !== undefined);
    const deviations = this.#scorer.deviations();
    this.#spend(performance.now() - begun);
    this.#events.onFeedback({ audioMs: this.#audioMs(), phonemes, words, deviations, timing: { ...this.#newest } });
  }

  /** Looks at a word of which more phones are final than before. */
  #begin(wordIndex: number): void {
    const heard = this.#scorer.finalsOf(wordIndex).filter((phone) => phone.end > phone.start);
    if (heard.length === 0) return;
    this.#begun[wordIndex] = {
      wordIndex,
      text: this.#reference.words[wordIndex]!.text,
      startMs: heard[0]!.result.start_ms,
      endMs: heard.at(-1)!.result.end_ms,
      isFinal: this.#scorer.isComplete(wordIndex),
    };
  }

  /** Audio that the model has consumed: its newest frame and the look-ahead behind it. */
  #audioMs(): number {
    return this.#scorer.frames * this.#model.strideMs + this.#model.lookaheadMs;
  }

  /** From a phone's end until the sound behind the feedback that first could call it final; not past the audio's end. */
  #lagMs({ saidAt, result }: ScoredPhone): number {
    const { strideMs, lookaheadMs, features } = this.#model;
    const interval = this.#options.emitIntervalMs;
    const dueMs = Math.ceil((saidAt * strideMs + lookaheadMs) / interval) * interval;
    const frames = Math.ceil((dueMs - lookaheadMs) / strideMs);
    const heardMs = frames * strideMs + lookaheadMs + features.windowMs - features.hopMs;
    return Math.max(0, Math.min(heardMs, this.#pushedMs) - result.end_ms);
  }

  #spend(ms: number): void {
    this.#newest.scoring += ms;
    this.#total.scoring += ms;
  }
}

function noTime(): { queue: number; features: number; asr: number; scoring: number } {
  return { queue: 0, features: 0, asr: 0, scoring: 0 };
}

/** `count` rows of the frames from `row` on, as views. */
function rows(frames: AcousticFrames, row: number, count: number): AcousticFrames {
  const cut = (values: Float32Array) => {
    const width = values.length / frames.count;
    return values.subarray(row * width, (row + count) * width);
  };
  return {
    ...frames,
    firstFrame: frames.firstFrame + row,
    count,
    logPosterior: cut(frames.logPosterior),
    scoreLogit: frames.scoreLogit && cut(frames.scoreLogit),
  };
}
