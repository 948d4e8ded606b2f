import type { LogMelPlan } from '../features/log-mel.ts';
import type { ModelPackage } from '../model/model-package.ts';
import type { Stepper } from '../onnx/stepper.ts';
import { createStatsRecorder } from './engine-stats.ts';
import { EngineStream } from './engine-stream.ts';
import { createLoadFollower, type Pace } from './pace.ts';
import { decide } from './schedule.ts';
import type { AcousticFrames, CoreStats } from './types.ts';

/** The engine on one thread: streams, their features, and one run of the model after the other. */
export type EngineCore = {
  open(onFrames: (frames: AcousticFrames) => void, onError: (error: Error) => void): EngineStream;
  stats(): CoreStats;
  /** Drops all streams and frees the model when the run that is on has ended. */
  close(): Promise<void>;
};

/** `pace`: a fixed one; absent: it follows the load. */
export type CoreOptions = { model: ModelPackage; plan: LogMelPlan; stepper: Stepper; pace?: Pace };

export function createEngineCore({ model, plan, stepper, pace }: CoreOptions): EngineCore {
  const streams = new Set<EngineStream>();
  const waiting = new Set<EngineStream>();
  const stats = createStatsRecorder(performance.now());
  const load = createLoadFollower(performance.now());
  let pumpScheduled = false;
  let running = false;
  let inFlight: readonly EngineStream[] = [];
  let lastPump: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  /** What many chunks of one message wake is one pump. */
  const schedulePump = (): void => {
    if (pumpScheduled || running) return;
    pumpScheduled = true;
    queueMicrotask(() => {
      pumpScheduled = false;
      startPump();
    });
  };

  const startPump = (): void => {
    clearTimeout(timer);
    if (!running) lastPump = pump();
  };

  const pump = async (): Promise<void> => {
    running = true;
    for (;;) {
      const nowMs = performance.now();
      const terms = { pace: pace ?? load.pace, shapes: stepper.shapes, strideMs: model.strideMs };
      const decision = decide([...waiting], streams.size, nowMs, terms);
      if ('run' in decision) {
        await runBatch(decision.run, decision.steps, decision.bucket);
        continue;
      }
      // Set before this function returns to anybody: a chunk that comes in between must find the engine idle.
      running = false;
      const delayMs = decision.waitUntilMs - nowMs;
      if (delayMs < Number.POSITIVE_INFINITY) timer = setTimeout(startPump, Math.ceil(delayMs));
      return;
    }
  };

  const runBatch = async (batch: readonly EngineStream[], steps: number, bucket: number): Promise<void> => {
    const startMs = performance.now();
    const arrivals = batch.map((stream) => [stream.arrivalMs(0), stream.arrivalMs(steps - 1)] as const);
    batch.forEach((stream, b) => {
      stream.queue.take(steps, stepper.features, b * steps * stepper.featureWidth);
      if (stream.pending === 0) waiting.delete(stream);
    });
    inFlight = batch;
    const states = batch.map((stream) => stream.state);
    const output = await stepper.run(states, bucket, steps).catch((error: unknown) => asError(error));
    inFlight = [];
    for (const stream of batch) if (!streams.has(stream)) stepper.recycle(stream.state);
    if (output instanceof Error) {
      for (const stream of batch) stream.fail(output);
      return;
    }
    const endMs = performance.now();
    stats.run(startMs, endMs, batch.length);
    load.ran(startMs, endMs);
    batch.forEach((stream, b) => {
      const [oldestMs, newestMs] = arrivals[b]!;
      stats.step(endMs, endMs - oldestMs);
      stream.deliver(output, b * steps, steps, startMs - newestMs, endMs - startMs);
    });
  };

  const host = {
    model,
    plan,
    stepper,
    wake(stream: EngineStream) {
      waiting.add(stream);
      schedulePump();
    },
    drop(stream: EngineStream) {
      if (!streams.delete(stream)) return;
      waiting.delete(stream);
      // A run that is on still writes the state: runBatch takes it back then.
      if (!inFlight.includes(stream)) stepper.recycle(stream.state);
    },
  };

  return {
    open(onFrames, onError) {
      const stream = new EngineStream(host, onFrames, onError);
      streams.add(stream);
      return stream;
    },
    stats() {
      let depth = 0;
      for (const stream of waiting) depth += stream.pending;
      return stats.snapshot(performance.now(), streams.size, depth);
    },
    async close() {
      for (const stream of [...streams]) stream.close();
      clearTimeout(timer);
      await lastPump;
      await stepper.close();
    },
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
