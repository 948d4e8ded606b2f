import { createStatsRecorder } from './engine-stats.ts';
import { createFeatureStream } from './feature-stream.ts';
import type { LogMelPlan } from './log-mel.ts';
import type { ModelPackage } from './model-package.ts';
import { nextLevel, type Pace, paces } from './pace.ts';
import { decide, type Waiting } from './schedule.ts';
import { StepQueue } from './step-queue.ts';
import type { StepOutput, Stepper } from './stepper.ts';
import type { AcousticFrames, EngineStats } from './types.ts';

/** The engine on one thread: streams, their features, and one run of the model after the other. */
export type EngineCore = {
  open(onFrames: (frames: AcousticFrames) => void, onError: (error: Error) => void): CoreStream;
  stats(): EngineStats;
  close(): Promise<void>;
};

export type CoreStream = {
  /** `arrivedMs`: when the samples came to the engine, on `performance.now`'s clock of this thread. */
  push(pcm: Float32Array, arrivedMs: number): void;
  end(arrivedMs: number): Promise<void>;
  close(): void;
};

/** `pace`: a fixed one; absent: it follows the load. */
export type CoreOptions = { model: ModelPackage; plan: LogMelPlan; stepper: Stepper; pace?: Pace };

export function createEngineCore({ model, plan, stepper, pace }: CoreOptions): EngineCore {
  const streams = new Set<Stream>();
  const waiting = new Set<Stream>();
  const stats = createStatsRecorder(performance.now());
  let running = false;
  let pumping = false;
  let timer: NodeJS.Timeout | undefined;
  let level = 0;
  let periodStartMs = performance.now();
  let periodBusyMs = 0;

  const schedulePump = (): void => {
    if (pumping || running) return;
    pumping = true;
    queueMicrotask(() => {
      pumping = false;
      void pump();
    });
  };

  const pump = async (): Promise<void> => {
    clearTimeout(timer);
    if (running) return;
    running = true;
    for (;;) {
      const nowMs = performance.now();
      const decision = decide([...waiting], streams.size, nowMs, pace ?? paces[level]!, model.strideMs);
      if ('waitUntilMs' in decision) {
        const delayMs = decision.waitUntilMs - nowMs;
        if (delayMs < Number.POSITIVE_INFINITY) timer = setTimeout(pump, Math.ceil(delayMs));
        break;
      }
      await runBatch(decision.run, decision.steps, decision.bucket);
    }
    running = false;
  };

  const runBatch = async (batch: readonly Stream[], steps: number, bucket: number): Promise<void> => {
    const startMs = performance.now();
    const arrivals = batch.map((stream) => [stream.arrivalMs(0), stream.arrivalMs(steps - 1)] as const);
    batch.forEach((stream, b) => {
      stream.queue.take(steps, stepper.features, b * steps * stepper.featureWidth);
      if (stream.pending === 0) waiting.delete(stream);
    });
    let output: StepOutput;
    try {
      output = await stepper.run(
        batch.map((stream) => stream.state),
        bucket,
        steps,
      );
    } catch (error) {
      for (const stream of batch) stream.fail(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    const endMs = performance.now();
    stats.run(startMs, endMs, batch.length);
    batch.forEach((stream, b) => {
      const [oldestMs, newestMs] = arrivals[b]!;
      stats.step(endMs, endMs - oldestMs);
      stream.deliver(output, b * steps, steps, startMs - newestMs, endMs - startMs);
    });
    adapt(endMs, endMs - startMs);
  };

  const adapt = (nowMs: number, ranMs: number): void => {
    periodBusyMs += ranMs;
    if (nowMs - periodStartMs < periodMs) return;
    level = nextLevel(level, periodBusyMs / (nowMs - periodStartMs));
    periodStartMs = nowMs;
    periodBusyMs = 0;
  };

  class Stream implements Waiting, CoreStream {
    readonly queue = new StepQueue(stepper.featureWidth);
    readonly state = stepper.newState();
    ended = false;
    private readonly features = createFeatureStream(model, plan, this.queue);
    private readonly onFrames: (frames: AcousticFrames) => void;
    private readonly onError: (error: Error) => void;
    private stepsRun = 0;
    private featuresMs = 0;
    private settle: { resolve(): void; reject(error: Error): void } | undefined;

    constructor(onFrames: (frames: AcousticFrames) => void, onError: (error: Error) => void) {
      this.onFrames = onFrames;
      this.onError = onError;
    }

    get pending(): number {
      return this.queue.length;
    }

    get oldestDeadlineMs(): number {
      return this.queue.oldestDeadlineMs;
    }

    arrivalMs(index: number): number {
      return this.queue.arrivalMs(index);
    }

    push(pcm: Float32Array, arrivedMs: number): void {
      if (this.ended || !streams.has(this)) return;
      const startMs = performance.now();
      this.features.push(pcm, arrivedMs);
      this.featuresMs += performance.now() - startMs;
      this.enqueue();
    }

    end(arrivedMs: number): Promise<void> {
      if (this.ended || !streams.has(this)) return Promise.resolve();
      this.ended = true;
      this.features.end(arrivedMs);
      if (this.pending === 0) {
        this.close();
        return Promise.resolve();
      }
      this.enqueue();
      return new Promise((resolve, reject) => {
        this.settle = { resolve, reject };
      });
    }

    close(): void {
      streams.delete(this);
      waiting.delete(this);
      this.settle?.resolve();
    }

    fail(error: Error): void {
      if (!streams.has(this)) return;
      const settle = this.settle;
      this.settle = undefined;
      this.close();
      this.onError(error);
      settle?.reject(error);
    }

    /** Rows `row` to `row + steps` of the run's output are this stream's next steps. */
    deliver(output: StepOutput, row: number, steps: number, queueMs: number, inferenceMs: number): void {
      const lookahead = Math.round(model.lookaheadMs / model.strideMs);
      const skip = Math.min(steps, Math.max(0, lookahead - this.stepsRun));
      const firstFrame = Math.max(0, this.stepsRun - lookahead);
      this.stepsRun += steps;
      if (!streams.has(this)) return;
      const count = steps - skip;
      const rows = (values: Float32Array, width: number) => values.slice((row + skip) * width, (row + steps) * width);
      const timing = { queueMs, featuresMs: this.featuresMs, inferenceMs };
      if (count > 0) {
        this.featuresMs = 0;
        const logPosterior = rows(output.logPosterior, stepper.phones);
        const scoreLogit = output.scoreLogit && rows(output.scoreLogit, stepper.scoreWidth);
        try {
          this.onFrames({ firstFrame, count, logPosterior, scoreLogit, timing });
        } catch (error) {
          this.fail(error instanceof Error ? error : new Error(String(error)));
          return;
        }
      }
      if (this.ended && this.pending === 0) this.close();
    }

    private enqueue(): void {
      if (this.pending === 0) return;
      waiting.add(this);
      schedulePump();
    }
  }

  return {
    open(onFrames, onError) {
      const stream = new Stream(onFrames, onError);
      streams.add(stream);
      return stream;
    },
    stats() {
      let depth = 0;
      for (const stream of waiting) depth += stream.pending;
      return stats.snapshot(performance.now(), streams.size, depth);
    },
    async close() {
      clearTimeout(timer);
      for (const stream of [...streams]) stream.close();
      await stepper.close();
    },
  };
}

const periodMs = 250;
