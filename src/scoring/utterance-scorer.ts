import type { AcousticFrames } from '../acoustic/engine/types.ts';
import type { ModelPackage } from '../acoustic/model/model-package.ts';
import type { Deviation, UtteranceResult } from '../protocol/result.ts';
import type { StageTimings } from '../protocol/stages.ts';
import { type WrittenPhones, writePhones } from '../protocol/written-phones.ts';
import { buildGraph } from './align/graph.ts';
import { type Calibrator, loadCalibrator } from './calibrate/calibrator.ts';
import { LiveScorer } from './live-scorer.ts';
import type { ScoredPhone } from './phone-scorer.ts';
import type { Reference } from './text/reference.ts';
import { type JudgedPhone, judgeInContext, summarize } from './utterance.ts';

export type Feedback = {
  /** Audio consumed by the model so far, ms. */
  audioMs: number;
  /**
   * Phones new or changed since the call before; each is final once. Their times count from
   * `startMs`.
   */
  phones: WrittenPhones;
  /** How far the reading is; absent when that is as in the feedback before. */
  progress?: Progress;
  /** queue, features, asr, scoring: of the newest frames, those that the feedback waited for. */
  timing: StageTimings;
  /** How long ago it was worked out, ms, where that was on another thread. */
  ageMs?: number;
};

export type Progress = {
  /**
   * Words of the reference that were begun, in order of the text; final once their last phone is.
   */
  words: readonly BegunWord[];
  deviations: readonly Deviation[];
};

export type BegunWord = { wordIndex: number; text: string; startMs: number; endMs: number; isFinal: boolean };

/** An utterance's result; `timing` is the sum over the utterance. */
export type TimedResult = UtteranceResult & { timing: StageTimings };

export type ScorerOptions = {
  emitIntervalMs: number;
  /** How many likely phones each result names; 3 when absent. */
  nbest?: number;
  /**
   * Where the utterance begins on its session's clock; 0 when absent. Feedback's phones are told on
   * it, everything else counts from the utterance's start.
   */
  startMs?: number;
};

export type ScorerEvents = {
  /** Each `emitIntervalMs` of audio. Without it nothing provisional is worked out. */
  onFeedback?(feedback: Feedback): void;
  /** All that was measured, phone by phone for each word, before `finish` returns. */
  onEvidence?(words: readonly (readonly JudgedPhone[])[]): void;
};

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

/**
 * Frames of the acoustic model in, feedback and the result of one utterance out: all of scoring
 * that is not sound.
 */
export class UtteranceScorer {
  readonly #model: ModelPackage;
  readonly #reference: Reference;
  readonly #emitIntervalMs: number;
  readonly #startMs: number;
  readonly #events: ScorerEvents;
  readonly #scorer: LiveScorer;
  #nextEmitMs: number;
  /** Timing of the newest frames. */
  #newest = noTime();
  readonly #total = noTime();
  /** Words of which something was heard, by their place in the reference. */
  readonly #begun: (BegunWord | undefined)[];
  /** The progress that was reported last. */
  #reported = '';

  /**
   * @throws SpeechfbError `invalid_reference` when the model does not know a phone of the
   *   reference.
   * @param graph That of the reference, where it has been built before.
   */
  constructor(
    model: ModelPackage,
    reference: Reference,
    options: ScorerOptions,
    events: ScorerEvents,
    graph = buildGraph(reference, model),
  ) {
    this.#model = model;
    this.#reference = reference;
    this.#emitIntervalMs = options.emitIntervalMs;
    this.#startMs = options.startMs ?? 0;
    this.#events = events;
    this.#nextEmitMs = options.emitIntervalMs;
    this.#begun = reference.words.map(() => undefined);
    this.#scorer = new LiveScorer(reference, model, calibratorOf(model), { nbest: options.nbest ?? 3, graph });
  }

  /** Frames [start, end), not heard yet, will carry no sound because it was lost. */
  markGap(start: number, end: number): void {
    this.#scorer.markGap(start, end);
  }

  /** Takes the next frames. */
  take(frames: AcousticFrames): void {
    for (let row = 0; row < frames.count; ) row = this.takePart(frames, row);
  }

  /**
   * Takes some of the next frames, from `row` on; returns the row that follows them. All must be
   * taken before others are.
   */
  takePart(frames: AcousticFrames, row: number): number {
    if (row === 0) this.#noteTiming(frames.timing);
    const begun = performance.now();
    // Up to each moment of feedback, so that results do not depend on how the audio was cut.
    const due = Math.ceil((this.#nextEmitMs - this.#model.lookaheadMs) / this.#model.strideMs) - this.#scorer.frames;
    const count = Math.min(frames.count - row, Math.max(1, due), mostRows);
    this.#scorer.push(frames, row, row + count);
    this.#spend(performance.now() - begun);
    if (this.#audioMs() >= this.#nextEmitMs) this.#emit();
    return row + count;
  }

  /**
   * Feedback waited for its newest frames alone: adding up all since the last would count time that
   * passed side by side.
   */
  #noteTiming({ queueMs, featuresMs, inferenceMs }: AcousticFrames['timing']): void {
    this.#newest = { queue: queueMs, features: featuresMs, asr: inferenceMs, scoring: 0 };
    this.#total.queue += queueMs;
    this.#total.features += featuresMs;
    this.#total.asr += inferenceMs;
  }

  /**
   * No more frames: everything final, with context. @param pushedMs The audio that there was, gaps
   * included.
   */
  finish(pushedMs: number): TimedResult {
    const steps = this.finishing(pushedMs);
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
    }
  }

  /** Does what `finish` does, in steps of a word at most: others may have a turn between them. */
  *finishing(pushedMs: number): Generator<void, TimedResult> {
    const steps = this.#conclude(pushedMs);
    for (;;) {
      const begun = performance.now();
      const step = steps.next();
      this.#total.scoring += performance.now() - begun;
      if (step.done) return { ...step.value, timing: this.#total };
      yield;
    }
  }

  *#conclude(pushedMs: number): Generator<void, UtteranceResult> {
    const { strideMs } = this.#model;
    yield* this.#scorer.finishing();
    const judged = yield* judgeInContext(this.#scorer);
    this.#events.onEvidence?.(judged);
    return yield* summarize(this.#scorer, this.#reference, judged, strideMs, (phone) => this.#lagMs(phone, pushedMs));
  }

  #emit(): void {
    const interval = this.#emitIntervalMs;
    this.#nextEmitMs = (Math.floor(this.#audioMs() / interval) + 1) * interval;
    if (!this.#events.onFeedback) return;
    const begun = performance.now();
    const { final, provisional } = this.#scorer.takeChanges();
    const phones = writePhones(
      [...final, ...provisional].map(({ result }) => result),
      this.#startMs,
    );
    for (const word of new Set(final.map((phone) => phone.word))) this.#begin(word);
    const progress = this.#progress();
    this.#spend(performance.now() - begun);
    const feedback = { audioMs: this.#audioMs(), phones, timing: { ...this.#newest } };
    this.#events.onFeedback(progress ? { ...feedback, progress } : feedback);
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

  /**
   * Undefined when the same words are begun and final as before, and the reading left the text in
   * the same places.
   */
  #progress(): Progress | undefined {
    const words = this.#begun.filter((word) => word !== undefined);
    const deviations = this.#scorer.deviations();
    const left = deviations.map(({ kind, first_word, last_word }) => `${kind}${first_word}-${last_word}`);
    const reported = [...words.map((word) => `${word.wordIndex}${word.isFinal ? '.' : '?'}`), ...left].join(' ');
    if (reported === this.#reported) return undefined;
    this.#reported = reported;
    return { words, deviations };
  }

  /** Audio that the model has consumed: its newest frame and the look-ahead behind it. */
  #audioMs(): number {
    return this.#scorer.frames * this.#model.strideMs + this.#model.lookaheadMs;
  }

  /**
   * From a phone's end until the sound behind the feedback that first could call it final; not past
   * the audio's end.
   */
  #lagMs({ saidAt, result }: ScoredPhone, pushedMs: number): number {
    const { strideMs, lookaheadMs, features } = this.#model;
    const interval = this.#emitIntervalMs;
    const dueMs = Math.ceil((saidAt * strideMs + lookaheadMs) / interval) * interval;
    const frames = Math.ceil((dueMs - lookaheadMs) / strideMs);
    const heardMs = frames * strideMs + lookaheadMs + features.windowMs - features.hopMs;
    return Math.max(0, Math.min(heardMs, pushedMs) - result.end_ms);
  }

  #spend(ms: number): void {
    this.#newest.scoring += ms;
    this.#total.scoring += ms;
  }
}

/** Frames that are taken at once: some hundred microseconds for an ordinary text. */
const mostRows = 10;

function noTime(): { queue: number; features: number; asr: number; scoring: number } {
  return { queue: 0, features: 0, asr: 0, scoring: 0 };
}
