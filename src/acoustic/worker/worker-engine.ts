import { Worker } from 'node:worker_threads';
import type { SpeechfbError } from '../../errors.ts';
import { Exchange, type Member } from '../../threads/exchange.ts';
import { fromPlainError } from '../../threads/plain-error.ts';
import { threadDied } from '../../threads/thread-died.ts';
import { type MailRecord, newLinkEnds, ThreadLink } from '../../threads/thread-link.ts';
import { workerUrl } from '../../threads/worker-url.ts';
import type { EngineOptions } from '../engine/inline-engine.ts';
import type {
  AcousticEngine,
  AcousticFrames,
  AcousticStream,
  CoreStats,
  EngineFault,
  EngineStats,
  LostDevice,
} from '../engine/types.ts';
import { networkOfAccelerators } from '../model/model-package.ts';
import { readFrames } from './frame-records.ts';
import { SoundBlocks } from './kept-sound.ts';
import { WorkerInbox } from './worker-inbox.ts';
import {
  type FromWorker,
  fromWorkerKinds,
  type StreamFailed,
  type ToWorker,
  type WorkerStart,
} from './worker-messages.ts';
import { WorkerStream } from './worker-stream.ts';

export type WorkerEngineOptions = EngineOptions & {
  /** Its rounds carry the mail; absent: one of its own. */
  exchange?: Exchange;
  /** Stands in for the compiled worker in tests. */
  workerScript?: URL;
  /** Called when the worker died, with whether another was started. */
  onCrash?: (error: Error, restarted: boolean) => void;
  /** Called when the device was lost and the CPU goes on. */
  onLoss?: (lost: LostDevice) => void;
};

/**
 * The engine on a thread of its own, for servers: this thread never waits for a run. Resolves when
 * every shape is warm. A worker that dies is started again, up to 3 times a minute, and its streams
 * go on with the next one where they were: they are late, and lose nothing. A stream fails with
 * `engine_crashed` when that one dies too before it has heard it, or when there is no next one.
 * Errors: those of `openStepper`, `not_built`.
 */
export async function createWorkerEngine(options: WorkerEngineOptions): Promise<AcousticEngine> {
  const engine = new WorkerEngine(options);
  await engine.start();
  return engine;
}

class WorkerEngine implements AcousticEngine {
  readonly model: EngineOptions['model'];
  readonly #options: WorkerEngineOptions;
  readonly #streams = new Map<number, WorkerStream>();
  readonly #blocks: SoundBlocks;
  readonly #crashes: number[] = [];
  readonly #exchange: Exchange;
  readonly #mail: Member = {
    collect: () => this.#collect(),
    send: () => this.#link.wake(),
    sleep: () => this.#link.sleep(),
    stayAwake: () => this.#link.stayAwake(),
  };
  #worker: Worker;
  #link: ThreadLink;
  #inbox: WorkerInbox;
  #runsOn: Ready | undefined;
  #nextStream = 0;
  #stats = idle;
  #dead: Error | undefined;
  #lostDevice: LostDevice | undefined;
  #closing = false;
  #restarts = 0;
  #heardMs = performance.now();
  #prefersGroups = false;

  constructor(options: WorkerEngineOptions) {
    this.model = options.model;
    this.#options = options;
    this.#blocks = new SoundBlocks(options.model);
    this.#exchange = options.exchange ?? new Exchange();
    ({ worker: this.#worker, link: this.#link, inbox: this.#inbox } = this.#launch());
    this.#exchange.join(this.#mail);
  }

  get provider(): string {
    return this.#runsOn?.provider ?? 'none';
  }

  get lostDevice(): LostDevice | undefined {
    return this.#lostDevice;
  }

  get whyNotNative(): string | undefined {
    return this.#runsOn?.whyNotNative;
  }

  /** Resolves when the worker is warm. */
  async start(): Promise<void> {
    this.#runsOn = await this.#ready();
  }

  open(onFrames: (frames: AcousticFrames) => void, onError: (error: Error) => void, canWait = false): AcousticStream {
    const id = this.#nextStream++;
    const stream = new WorkerStream(id, { blocks: this.#blocks, onFrames, onError, canWait });
    this.#streams.set(id, stream);
    if (this.#dead) setImmediate(() => this.#dead && this.#fail(id, this.#dead));
    else this.#inbox.opened(id, canWait);
    const isOpen = () => this.#streams.has(id) && !this.#dead;
    return {
      push: (pcm) => {
        if (isOpen() && !stream.settle) stream.push(pcm, this.#inbox);
      },
      end: () => {
        if (!isOpen() || stream.settle) return Promise.resolve();
        this.#inbox.ended(id);
        return new Promise((resolve, reject) => {
          stream.settle = { resolve, reject };
        });
      },
      giveWay: () => {
        if (isOpen()) stream.giveWay(this.#inbox);
      },
      close: () => {
        if (isOpen()) this.#inbox.closed(id);
        this.#drop(id)?.settle?.resolve();
      },
    };
  }

  stats(): EngineStats {
    return {
      ...this.#stats,
      streams: this.#streams.size,
      silentMs: performance.now() - this.#heardMs,
      restarts: this.#restarts,
    };
  }

  injectFault(fault: EngineFault): void {
    this.#worker.postMessage(fault satisfies ToWorker);
  }

  preferGroups(wanted: boolean): void {
    this.#prefersGroups = wanted;
    this.#worker.postMessage((wanted ? 'larger groups' : 'usual groups') satisfies ToWorker);
  }

  tidy(): void {
    this.#worker.postMessage('tidy' satisfies ToWorker);
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#inbox.stop();
    for (const stream of this.#streams.values()) stream.settle?.resolve();
    this.#streams.clear();
    if (!this.#dead) await stopWorker(this.#worker);
    this.#exchange.leave(this.#mail);
    this.#link.close();
    if (!this.#options.exchange) this.#exchange.close();
  }

  #launch(): { worker: Worker; link: ThreadLink; inbox: WorkerInbox } {
    const { threads, workerScript = workerUrl(import.meta.url, 'worker.js') } = this.#options;
    const ends = newLinkEnds(soundRingBytes, framesRingBytes);
    // After a crash learners wait: a shape that is new costs less than running all of them first.
    const isFirst = this.#restarts === 0;
    const workerData: WorkerStart = {
      ...this.#subject(),
      ...(threads && { threads }),
      warm: isFirst,
      deviceMayBeGone: !isFirst,
      link: ends.worker,
    };
    const worker = new Worker(workerScript, { workerData, transferList: [ends.worker.port] });
    const link = new ThreadLink(ends.own, () => this.#exchange.woken());
    return { worker, link, inbox: new WorkerInbox(link, this.#exchange) };
  }

  /** What the next worker runs: with its device gone, the same network on the CPU. */
  #subject(): Pick<EngineOptions, 'model' | 'device' | 'tuning'> {
    const { model, device, tuning = this.#runsOn?.tuning } = this.#options;
    if (this.#lostDevice) return { model: networkOfAccelerators(model), device: 'cpu' };
    return { model, ...(device && { device }), ...(tuning && { tuning }) };
  }

  async #relaunch(): Promise<Ready> {
    this.#link.close();
    ({ worker: this.#worker, link: this.#link, inbox: this.#inbox } = this.#launch());
    this.#exchange.soon();
    if (this.#prefersGroups) this.preferGroups(true);
    return await this.#ready();
  }

  #ready(): Promise<Ready> {
    return ready(
      this.#worker,
      (message) => this.#receive(message),
      (cause) => this.#crashed(cause),
    );
  }

  #receive(message: FromWorker): void {
    this.#heardMs = performance.now();
    if (message.type === 'stats') this.#stats = message.stats;
    if (message.type === 'lost-device') this.#lose(message);
  }

  #lose({ provider, lost }: Extract<FromWorker, { type: 'lost-device' }>): void {
    this.#lostDevice = lost;
    if (this.#runsOn) this.#runsOn = { ...this.#runsOn, provider };
    this.#options.onLoss?.(lost);
  }

  #collect(): void {
    const failed = (message: unknown) => {
      const { stream, error } = message as StreamFailed;
      this.#fail(stream, fromPlainError(error));
    };
    this.#link.read(this.#take, failed);
  }

  readonly #take = (record: MailRecord): void => {
    if (record.kind === fromWorkerKinds.ended) {
      this.#drop(record.memory.float64[record.at / 8]!)?.settle?.resolve();
      return;
    }
    const { id, frames } = readFrames(record);
    this.#deliver(id, frames);
  };

  #deliver(id: number, frames: AcousticFrames): void {
    try {
      this.#streams.get(id)?.take(frames);
    } catch (error) {
      // A bug of one listener must not hurt the other learners.
      this.#inbox.closed(id);
      this.#fail(id, error instanceof Error ? error : new Error(String(error)));
    }
  }

  #fail(id: number, error: Error): void {
    const stream = this.#drop(id);
    stream?.onError(error);
    stream?.settle?.reject(error);
  }

  /** The stream is over. */
  #drop(id: number): WorkerStream | undefined {
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    stream?.release();
    return stream;
  }

  #crashed(cause: unknown): void {
    if (this.#closing || this.#dead) return;
    // What it had said before it died counts.
    this.#collect();
    this.#inbox.stop();
    this.#stats = idle;
    const now = performance.now();
    this.#crashes.push(now);
    const restart = this.#crashes.filter((at) => at > now - crashWindowMs).length <= maxCrashes;
    const error = engineCrashed(cause);
    if (restart) {
      this.#restarts++;
      this.#relaunch().catch((cause) => this.#crashed(cause));
    } else this.#dead = error;
    for (const [id, stream] of [...this.#streams]) if (!restart || !stream.move(this.#inbox)) this.#fail(id, error);
    this.#options.onCrash?.(error, restart);
  }
}

type Ready = Extract<FromWorker, { type: 'ready' }>;

/** Resolves with what the worker runs on when it is warm; from then on its death is `crashed`. */
function ready(
  worker: Worker,
  receive: (message: FromWorker) => void,
  crashed: (cause: unknown) => void,
): Promise<Ready> {
  return new Promise((resolve, reject) => {
    let isReady = false;
    const died = (cause: unknown) => (isReady ? crashed(cause) : reject(engineCrashed(cause)));
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'unfit') reject(fromPlainError(message.error));
      if (message.type === 'ready') {
        isReady = true;
        resolve(message);
      }
      receive(message);
    });
    let failure: unknown;
    worker.on('error', (error) => {
      failure = error;
    });
    worker.on('exit', (code) => died(failure ?? `it ended with code ${code}`));
  });
}

/**
 * Lets the run that is on end: onnxruntime aborts the whole process when its thread is terminated
 * within one.
 */
async function stopWorker(worker: Worker): Promise<void> {
  const exited = new Promise((resolve) => {
    worker.once('exit', resolve);
  });
  worker.postMessage('close' satisfies ToWorker);
  await exited;
}

function engineCrashed(cause: unknown): SpeechfbError {
  const hint = 'start the utterance again; if it keeps dying, try another --device';
  return threadDied('engine_crashed', 'the inference worker', cause, hint);
}

/** Sound of 200 learners for 150 ms; their frames for 300 ms. */
const soundRingBytes = 2 ** 21;
const framesRingBytes = 2 ** 20;
const maxCrashes = 3;
const crashWindowMs = 60_000;
const idle: CoreStats = { streams: 0, queueDepth: 0, stepP95Ms: 0, busy: 0, runs: 0, meanBatch: 0 };
