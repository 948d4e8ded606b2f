import { FeatureStream } from '../features/feature-stream.ts';
import type { LogMelPlan } from '../features/log-mel.ts';
import { StepQueue } from '../features/step-queue.ts';
import type { ModelPackage } from '../model/model-package.ts';
import { isAccelerator } from '../onnx/device.ts';
import type { ModelStepper, StepOutput, StreamState } from '../onnx/model-stepper.ts';
import { mostSteps, stepsWithin } from '../onnx/shapes.ts';
import { contextMs } from './context.ts';
import type { Waiting } from './schedule.ts';
import { TakenSteps } from './taken-steps.ts';
import type { AcousticFrames, Samples } from './types.ts';

/** What a stream needs of its engine. */
export type StreamHost = {
  model: ModelPackage;
  plan: LogMelPlan;
  /** What runs the model now; another one when the device was lost. */
  readonly stepper: ModelStepper;
  /** The stream has steps to run. */
  wake(stream: EngineStream): void;
  /** The stream is over. */
  drop(stream: EngineStream): void;
};

/** One learner in the engine: features that wait, the model's state, and where the frames go. */
export class EngineStream implements Waiting {
  state: StreamState;
  readonly queue: StepQueue;
  ended = false;
  canWait: boolean;
  #isOpen = true;
  /** Absent where no device can be lost. */
  #taken: TakenSteps | undefined;
  /** The device that held the state is gone: `restore` comes before the next run. */
  isStateLost = false;
  readonly #host: StreamHost;
  readonly #features: FeatureStream;
  readonly #lookahead: number;
  readonly #onFrames: (frames: AcousticFrames) => void;
  readonly #onError: (error: Error) => void;
  #stepsRun = 0;
  #settle: { resolve(): void; reject(error: Error): void } | undefined;

  constructor(
    host: StreamHost,
    onFrames: (frames: AcousticFrames) => void,
    onError: (error: Error) => void,
    canWait: boolean,
  ) {
    this.canWait = canWait;
    const { model, plan, stepper } = host;
    this.#host = host;
    this.#onFrames = onFrames;
    this.#onError = onError;
    this.state = stepper.newState();
    if (isAccelerator(stepper.provider)) this.#taken = new TakenSteps(stepper.featureWidth, keptSteps(model.strideMs));
    this.queue = new StepQueue(stepper.featureWidth);
    this.#features = new FeatureStream(model, plan, this.queue);
    this.#lookahead = Math.round(model.lookaheadMs / model.strideMs);
  }

  get pending(): number {
    return this.queue.length;
  }

  get taken(): number {
    return this.#stepsRun;
  }

  get oldestDeadlineMs(): number {
    return this.queue.oldestDeadlineMs;
  }

  arrivalMs(index: number): number {
    return this.queue.arrivalMs(index);
  }

  /**
   * `arrivedMs`: when the samples came to the engine, on `performance.now`'s clock of this thread.
   */
  push(pcm: Samples, arrivedMs: number): void {
    if (this.ended || !this.#isOpen) return;
    this.#features.push(pcm, arrivedMs);
    if (this.pending > 0) this.#host.wake(this);
  }

  /** Resolves when the last frame was delivered. */
  end(arrivedMs: number): Promise<void> {
    if (this.ended || !this.#isOpen) return Promise.resolve();
    this.ended = true;
    this.#features.end(arrivedMs);
    if (this.pending === 0) {
      this.close();
      return Promise.resolve();
    }
    this.#host.wake(this);
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  close(): void {
    this.#isOpen = false;
    this.#host.drop(this);
    this.#settle?.resolve();
  }

  fail(error: Error): void {
    if (!this.#isOpen) return;
    const settle = this.#settle;
    this.#settle = undefined;
    this.close();
    this.#onError(error);
    settle?.reject(error);
  }

  /** Moves the oldest `steps` that wait to `row` of the next run's features. */
  take(steps: number, row: number): void {
    const { features, featureWidth } = this.#host.stepper;
    this.#features.take(steps, features, row * featureWidth);
    this.#taken?.push(features, row * featureWidth, steps);
  }

  loseState(): void {
    this.state = this.#host.stepper.newState();
    this.isStateLost = true;
  }

  /**
   * Finds a state that was lost from the steps before the newest `except`, run again without
   * telling anybody; puts those newest ones at the beginning of the next run's features. Errors:
   * those of the model's runs.
   */
  async restore(except: number): Promise<void> {
    const { stepper } = this.#host;
    const taken = this.#taken!;
    const past = taken.length - except;
    for (let at = 0; at < past; ) {
      const steps = stepsWithin(past - at, stepper.shapes);
      taken.copy(at, steps, stepper.features);
      await stepper.run([this.state], 1, steps);
      at += steps;
    }
    taken.copy(past, except, stepper.features);
    this.isStateLost = false;
    if (!isAccelerator(stepper.provider)) this.#taken = undefined;
  }

  /**
   * Rows `row` to `row + steps` of the run's output are this stream's next steps; the first of a
   * stream are look-ahead.
   */
  deliver(output: StepOutput, row: number, steps: number, queueMs: number, inferenceMs: number): void {
    if (!this.#isOpen) return;
    const skip = Math.min(steps, Math.max(0, this.#lookahead - this.#stepsRun));
    const firstFrame = Math.max(0, this.#stepsRun - this.#lookahead);
    this.#stepsRun += steps;
    const count = steps - skip;
    if (count > 0) {
      const { phones, scoreWidth } = this.#host.stepper;
      const rows = (values: Float32Array, width: number) =>
        values.subarray((row + skip) * width, (row + steps) * width);
      const logPosterior = rows(output.logPosterior, phones);
      const scoreLogit = output.scoreLogit && rows(output.scoreLogit, scoreWidth);
      const timing = { queueMs, featuresMs: this.#features.takeSpentMs(), inferenceMs };
      try {
        this.#onFrames({ firstFrame, count, logPosterior, scoreLogit, timing });
      } catch (error) {
        // A listener's bug must not break the streams of other learners.
        this.fail(error instanceof Error ? error : new Error(String(error)));
        return;
      }
    }
    if (this.ended && this.pending === 0) this.close();
  }
}

/** As many as find the state again, beside those of a run that fails. */
function keptSteps(strideMs: number): number {
  return Math.ceil(contextMs / strideMs) + mostSteps;
}
