import { setTimeout as delay } from 'node:timers/promises';
import type { LogMelPlan } from '../features/log-mel.ts';
import type { ModelPackage } from '../model/model-package.ts';
import { isAccelerator, type Provider } from '../onnx/device.ts';
import type { ModelStepper, StepOutput, StreamState } from '../onnx/model-stepper.ts';
import { Disturbance, type RunFault } from './disturbance.ts';
import { StatsRecorder } from './engine-stats.ts';
import { EngineStream, type StreamHost } from './engine-stream.ts';
import { LoadFollower, type Pace, type pacesOf } from './pace.ts';
import { type Decision, decide } from './schedule.ts';
import type { AcousticFrames, CoreStats } from './types.ts';

export type CoreOptions = {
  model: ModelPackage;
  plan: LogMelPlan;
  stepper: ModelStepper;
  /** A fixed one; absent: it follows the load. */
  pace?: Pace;
  /** The levels that it follows the load in, while the device is there. */
  paces?: ReturnType<typeof pacesOf>;
  /**
   * Opens what goes on when an accelerator's run fails, and tells whom that concerns; the streams
   * go on where they were.
   */
  fallBack(error: Error): Promise<ModelStepper>;
  /**
   * Whoever runs the engine starts another when it ends, which hears the sound again: a run that
   * fails for good ends it. Default: the streams of that run fail.
   */
  endsWithFailure?: boolean;
};

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
  #stepper: ModelStepper;
  readonly #fallBack: CoreOptions['fallBack'];
  readonly #pace: Pace | undefined;
  readonly #streams = new Set<EngineStream>();
  readonly #waiting = new Set<EngineStream>();
  readonly #stats = new StatsRecorder(performance.now());
  #load: LoadFollower;
  #pumpScheduled = false;
  #running = false;
  #inFlight: readonly EngineStream[] = [];
  #lastPump: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #mail: Mail | undefined;
  #disturbance: Disturbance | undefined;
  readonly #endsWithFailure: boolean;

  constructor({ model, plan, stepper, pace, paces, fallBack, endsWithFailure = false }: CoreOptions) {
    this.#endsWithFailure = endsWithFailure;
    this.#load = new LoadFollower(performance.now(), paces);
    this.#model = model;
    this.#fallBack = fallBack;
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

  /** What runs the model now. */
  get provider(): Provider {
    return this.#stepper.provider;
  }

  /** See `AcousticEngine.open`. */
  open(onFrames: (frames: AcousticFrames) => void, onError: (error: Error) => void, canWait = false): EngineStream {
    const stepper = (): ModelStepper => this.#stepper;
    const host: StreamHost = {
      model: this.#model,
      plan: this.#plan,
      get stepper() {
        return stepper();
      },
      wake: (stream) => this.#wake(stream),
      drop: (stream) => this.#drop(stream),
    };
    const stream = new EngineStream(host, onFrames, onError, canWait);
    this.#streams.add(stream);
    return stream;
  }

  stats(): CoreStats {
    let depth = 0;
    for (const stream of this.#waiting) depth += stream.pending;
    return this.#stats.snapshot(performance.now(), this.#streams.size, depth);
  }

  /** See `AcousticEngine.preferGroups`; an engine with a fixed pace keeps it. */
  preferGroups(wanted: boolean): void {
    this.#load.prefersGroups = wanted;
    this.#schedulePump();
  }

  /** Lets its runs suffer what a load test asks for. */
  disturb(fault: RunFault): void {
    this.#disturbance ??= new Disturbance();
    this.#disturbance.begin(fault, performance.now());
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
      const busyFromMs = performance.now();
      this.#mail?.collect();
      const nowMs = performance.now();
      const terms = {
        pace: this.#pace ?? this.#load.pace,
        shapes: this.#stepper.shapes,
        strideMs: this.#model.strideMs,
      };
      const decision = decide([...this.#waiting], this.#streams.size, nowMs, terms);
      if ('run' in decision) {
        await this.#runBatch(decision, busyFromMs);
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

  async #runBatch({ run: batch, steps, bucket }: Planned, busyFromMs: number): Promise<void> {
    const startMs = performance.now();
    this.#inFlight = batch;
    const arrivals = batch.map((stream) => [stream.arrivalMs(0), stream.arrivalMs(steps - 1)] as const);
    const run: Run = { batch, arrivals, steps, busyFromMs, startMs };
    const output = await this.#infer(run, bucket).catch(asError);
    if (!(output instanceof Error)) this.#deliver(output, run);
    else if (await this.#replaceDevice(output)) await this.#runAgain(run);
    // Nobody catches this: it ends the thread.
    else if (this.#endsWithFailure) throw output;
    else for (const stream of batch) stream.fail(output);
    this.#inFlight = [];
    for (const stream of batch) if (!this.#streams.has(stream)) this.#stepper.recycle(stream.state);
  }

  async #infer(run: Run, bucket: number): Promise<StepOutput> {
    const { batch, steps } = run;
    for (const stream of batch) if (stream.isStateLost) await stream.restore(0);
    batch.forEach((stream, b) => {
      stream.take(steps, b * steps);
      if (stream.pending === 0) this.#waiting.delete(stream);
    });
    // Its features have been found by now, which is no part of the run.
    run.startMs = performance.now();
    const states = batch.map((stream) => stream.state);
    return await this.#run(states, bucket, steps);
  }

  async #run(states: readonly StreamState[], bucket: number, steps: number): Promise<StepOutput> {
    if (!this.#disturbance) return await this.#stepper.run(states, bucket, steps);
    this.#disturbance.beforeRun();
    const startMs = performance.now();
    const output = await this.#stepper.run(states, bucket, steps);
    const longerMs = this.#disturbance.delayOf(startMs, performance.now());
    if (longerMs > 0) await delay(longerMs);
    return output;
  }

  #deliver(output: StepOutput, { batch, arrivals, steps, busyFromMs, startMs }: Run): void {
    const endMs = performance.now();
    this.#stats.run(busyFromMs, endMs, batch.length);
    this.#load.ran(busyFromMs, endMs);
    batch.forEach((stream, b) => {
      const [oldestMs, newestMs] = arrivals[b]!;
      this.#stats.step(endMs, endMs - oldestMs);
      stream.deliver(output, b * steps, steps, startMs - newestMs, endMs - startMs);
    });
  }

  /**
   * False when `error` is not one of a device, or nothing can take its place. Every stream finds
   * its state again before its next run.
   */
  async #replaceDevice(error: Error): Promise<boolean> {
    const lost = this.#stepper;
    if (!isAccelerator(lost.provider)) return false;
    const next = await this.#fallBack(error).catch(() => undefined);
    if (!next) return false;
    this.#stepper = next;
    const { prefersGroups } = this.#load;
    this.#load = new LoadFollower(performance.now());
    this.#load.prefersGroups = prefersGroups;
    for (const stream of this.#streams) stream.loseState();
    await lost.close().catch(() => {});
    return true;
  }

  /** The steps of a run that failed, which have left their queues: one stream after the other. */
  async #runAgain({ batch, arrivals, steps, busyFromMs, startMs }: Run): Promise<void> {
    for (const [b, stream] of batch.entries()) {
      if (!this.#streams.has(stream)) continue;
      const infer = async () => {
        await stream.restore(steps);
        return await this.#run([stream.state], 1, steps);
      };
      const output = await infer().catch(asError);
      if (output instanceof Error) stream.fail(output);
      else this.#deliver(output, { batch: [stream], arrivals: [arrivals[b]!], steps, busyFromMs, startMs });
    }
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

type Planned = Extract<Decision<EngineStream>, { run: unknown }>;

/**
 * What a run was of. `arrivals`: when the oldest and the newest step of each stream came, ms;
 * `busyFromMs`: since when the thread has worked for it, reading its mail and the features of the
 * sound in it.
 */
type Run = {
  batch: readonly EngineStream[];
  arrivals: readonly (readonly [number, number])[];
  steps: number;
  busyFromMs: number;
  startMs: number;
};

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
