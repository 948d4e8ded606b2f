import { setTimeout as delay } from 'node:timers/promises';
import type { LogMelPlan } from '../features/log-mel.ts';
import type { ModelPackage } from '../model/model-package.ts';
import type { Stepper } from '../onnx/stepper.ts';
import { StatsRecorder } from './engine-stats.ts';
import { EngineStream } from './engine-stream.ts';
import { LoadFollower, type Pace } from './pace.ts';
import { decide } from './schedule.ts';
import type { AcousticFrames, CoreStats } from './types.ts';

/** `pace`: a fixed one; absent: it follows the load. */
export type CoreOptions = { model: ModelPackage; plan: LogMelPlan; stepper: Stepper; pace?: Pace };

/** The way of an engine's streams and sound from another thread, and of its frames to it. */
export type Mail = {
  /** Reads what came: streams are opened, pushed, ended. */
  collect(): void;
  /** What the engine gave goes out. */
  send(): void;
  /** Nobody looks until the thread is woken; false when something has come meanwhile. */
  sleep(): boolean;
  /** The engine looks by itself before long. */
  stayAwake(): void;
  /** No more fits in: the reader is behind. */
  readonly isFull: boolean;
};

/** The engine on one thread: streams, their features, and one run of the model after the other. */
export class EngineCore {
  readonly #model: ModelPackage;
  readonly #plan: LogMelPlan;
  readonly #stepper: Stepper;
  readonly #pace: Pace | undefined;
  readonly #streams = new Set<EngineStream>();
  readonly #waiting = new Set<EngineStream>();
  readonly #stats = new StatsRecorder(performance.now());
  readonly #load = new LoadFollower(performance.now());
  #pumpScheduled = false;
  #running = false;
  #inFlight: readonly EngineStream[] = [];
  #lastPump: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #mail: Mail | undefined;

  constructor({ model, plan, stepper, pace }: CoreOptions) {
    this.#model = model;
    this.#plan = plan;
    this.#stepper = stepper;
    this.#pace = pace;
  }

  /** Reads the mail before each run, and sends what a run gave. */
  attend(mail: Mail): void {
    this.#mail = mail;
    this.look();
  }

  /** There may be mail. */
  look(): void {
    this.#schedulePump();
  }

  open(onFrames: (frames: AcousticFrames) => void, onError: (error: Error) => void): EngineStream {
    const stream = new EngineStream(
      {
        model: this.#model,
        plan: this.#plan,
        stepper: this.#stepper,
        wake: (stream) => this.#wake(stream),
        drop: (stream) => this.#drop(stream),
      },
      onFrames,
      onError,
    );
    this.#streams.add(stream);
    return stream;
  }

  stats(): CoreStats {
    let depth = 0;
    for (const stream of this.#waiting) depth += stream.pending;
    return this.#stats.snapshot(performance.now(), this.#streams.size, depth);
  }

  /** Drops all streams and frees the model when the run that is on has ended. */
  async close(): Promise<void> {
    this.#mail = undefined;
    for (const stream of [...this.#streams]) stream.close();
    clearTimeout(this.#timer);
    await this.#lastPump;
    await this.#stepper.close();
  }

  /** Schedules one pump, however many chunks of one message ask for it. */
  #schedulePump(): void {
    if (this.#pumpScheduled || this.#running) return;
    this.#pumpScheduled = true;
    queueMicrotask(() => {
      this.#pumpScheduled = false;
      this.#startPump();
    });
  }

  #startPump(): void {
    clearTimeout(this.#timer);
    if (!this.#running) this.#lastPump = this.#pump();
  }

  async #pump(): Promise<void> {
    this.#running = true;
    for (;;) {
      this.#mail?.collect();
      const nowMs = performance.now();
      const terms = {
        pace: this.#pace ?? this.#load.pace,
        shapes: this.#stepper.shapes,
        strideMs: this.#model.strideMs,
      };
      const decision = decide([...this.#waiting], this.#streams.size, nowMs, terms);
      if ('run' in decision) {
        await this.#runBatch(decision.run, decision.steps, decision.bucket);
        this.#mail?.send();
        while (this.#mail?.isFull) await delay(fullWaitMs);
        continue;
      }
      const delayMs = decision.waitUntilMs - nowMs;
      // Who looks again that soon need not be woken.
      if (delayMs <= shortRestMs) this.#mail?.stayAwake();
      else if (this.#mail?.sleep() === false) continue;
      // Set before this function returns to anybody: a chunk that comes in between must find the
      // engine idle.
      this.#running = false;
      if (delayMs < Number.POSITIVE_INFINITY) this.#timer = setTimeout(() => this.#startPump(), Math.ceil(delayMs));
      return;
    }
  }

  async #runBatch(batch: readonly EngineStream[], steps: number, bucket: number): Promise<void> {
    const startMs = performance.now();
    const arrivals = batch.map((stream) => [stream.arrivalMs(0), stream.arrivalMs(steps - 1)] as const);
    batch.forEach((stream, b) => {
      stream.queue.take(steps, this.#stepper.features, b * steps * this.#stepper.featureWidth);
      if (stream.pending === 0) this.#waiting.delete(stream);
    });
    this.#inFlight = batch;
    const states = batch.map((stream) => stream.state);
    const output = await this.#stepper.run(states, bucket, steps).catch((error: unknown) => asError(error));
    this.#inFlight = [];
    for (const stream of batch) if (!this.#streams.has(stream)) this.#stepper.recycle(stream.state);
    if (output instanceof Error) {
      for (const stream of batch) stream.fail(output);
      return;
    }
    const endMs = performance.now();
    this.#stats.run(startMs, endMs, batch.length);
    this.#load.ran(startMs, endMs);
    batch.forEach((stream, b) => {
      const [oldestMs, newestMs] = arrivals[b]!;
      this.#stats.step(endMs, endMs - oldestMs);
      stream.deliver(output, b * steps, steps, startMs - newestMs, endMs - startMs);
    });
  }

  #wake(stream: EngineStream): void {
    this.#waiting.add(stream);
    this.#schedulePump();
  }

  #drop(stream: EngineStream): void {
    if (!this.#streams.delete(stream)) return;
    this.#waiting.delete(stream);
    // A run that is on still writes the state: runBatch takes it back then.
    if (!this.#inFlight.includes(stream)) this.#stepper.recycle(stream.state);
  }
}

/** How long the engine stands still when the reader of its frames is behind. */
const fullWaitMs = 2;
/** The fill time of a busy engine: it looks at its mail as often as that. */
const shortRestMs = 5;

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
