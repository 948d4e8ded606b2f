import { Worker } from 'node:worker_threads';
import type { SpeechfbError } from '../../errors.ts';
import { fromPlainError } from '../../threads/plain-error.ts';
import { threadDied } from '../../threads/thread-died.ts';
import { workerUrl } from '../../threads/worker-url.ts';
import type { EngineOptions } from '../engine/inline-engine.ts';
import type { AcousticEngine, AcousticFrames, CoreStats } from '../engine/types.ts';
import { SoundBlocks } from './kept-sound.ts';
import { createInbox, type Inbox } from './worker-inbox.ts';
import { type FromWorker, type ToWorker, unpackResults, type WorkerStart } from './worker-messages.ts';
import { WorkerStream } from './worker-stream.ts';

export type WorkerEngineOptions = EngineOptions & {
  /** How long PCM gathers before it goes to the worker; a message costs more than its frames. Default 2. */
  coalesceMs?: number;
  /** Stands in for the compiled worker in tests. */
  workerScript?: URL;
  /** Told when the worker died and whether another was started. */
  onCrash?: (error: Error, restarted: boolean) => void;
};

/**
 * The engine on a thread of its own, for servers: this thread never waits for a run. Resolves when every shape is warm.
 * A worker that dies is started again, up to 3 times a minute, and its streams go on with the next one where they were: they
 * are late, and lose nothing. A stream fails with `engine_crashed` when that one dies too before it has heard it, or when
 * there is no next one. Errors: those of `openStepper`, `not_built`.
 */
export async function createWorkerEngine(options: WorkerEngineOptions): Promise<AcousticEngine> {
  const {
    coalesceMs = 2,
    onCrash = () => {},
    workerScript = workerUrl(import.meta.url, 'worker.js'),
    ...start
  } = options;
  const streams = new Map<number, WorkerStream>();
  const blocks = new SoundBlocks(options.model);
  const crashes: number[] = [];
  let nextStream = 0;
  let stats = idle;
  let worker: Worker;
  let inbox: Inbox;
  let dead: Error | undefined;
  let closing = false;
  let restarts = 0;
  let lastWordMs = performance.now();

  const launch = async (): Promise<Ready> => {
    // Where one died, learners wait: a shape that is new costs less than running all of them first.
    const workerData: WorkerStart = { ...start, warm: restarts === 0 };
    worker = new Worker(workerScript, { workerData });
    inbox = createInbox(worker, coalesceMs);
    return await ready(worker, receive, crashed);
  };

  const receive = (message: FromWorker): void => {
    lastWordMs = performance.now();
    if (message.type === 'stats') stats = message.stats;
    if (message.type !== 'results') return;
    unpackResults(message, deliver);
    for (const { stream, error } of message.failed) fail(stream, fromPlainError(error));
    for (const id of message.ended) drop(id)?.settle?.resolve();
  };

  const deliver = (id: number, frames: AcousticFrames): void => {
    try {
      streams.get(id)?.take(frames);
    } catch (error) {
      // One listener's bug is not the other learners' trouble.
      inbox.closed(id);
      fail(id, error instanceof Error ? error : new Error(String(error)));
    }
  };

  const fail = (id: number, error: Error): void => {
    const stream = drop(id);
    stream?.onError(error);
    stream?.settle?.reject(error);
  };

  /** The stream is over. */
  const drop = (id: number): WorkerStream | undefined => {
    const stream = streams.get(id);
    streams.delete(id);
    stream?.release();
    return stream;
  };

  const crashed = (cause: unknown): void => {
    if (closing || dead) return;
    inbox.stop();
    stats = idle;
    const now = performance.now();
    crashes.push(now);
    const restart = crashes.filter((at) => at > now - crashWindowMs).length <= maxCrashes;
    const error = engineCrashed(cause);
    if (restart) {
      restarts++;
      launch().catch(crashed);
    } else dead = error;
    for (const [id, stream] of [...streams]) if (!restart || !stream.move(inbox)) fail(id, error);
    onCrash(error, restart);
  };

  const { provider, whyNotNative } = await launch();
  return {
    model: options.model,
    provider,
    whyNotNative,
    open(onFrames, onError) {
      const id = nextStream++;
      const stream = new WorkerStream(id, blocks, onFrames, onError);
      streams.set(id, stream);
      if (dead) setImmediate(() => dead && fail(id, dead));
      else inbox.opened(id);
      const isOpen = () => streams.has(id) && !dead;
      return {
        push(pcm) {
          if (isOpen() && !stream.settle) stream.push(pcm, inbox);
        },
        end() {
          if (!isOpen() || stream.settle) return Promise.resolve();
          inbox.ended(id);
          return new Promise((resolve, reject) => {
            stream.settle = { resolve, reject };
          });
        },
        close() {
          if (isOpen()) inbox.closed(id);
          drop(id)?.settle?.resolve();
        },
      };
    },
    stats: () => ({ ...stats, streams: streams.size, silentMs: performance.now() - lastWordMs, restarts }),
    injectFault: (fault) => worker.postMessage(fault satisfies ToWorker),
    tidy: () => worker.postMessage('tidy' satisfies ToWorker),
    async close() {
      closing = true;
      inbox.stop();
      for (const stream of streams.values()) stream.settle?.resolve();
      streams.clear();
      if (!dead) await stopWorker(worker);
    },
  };
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

/** Lets the run that is on end: onnxruntime aborts the whole process when its thread is terminated within one. */
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

const maxCrashes = 3;
const crashWindowMs = 60_000;
const idle: CoreStats = { streams: 0, queueDepth: 0, stepP95Ms: 0, busy: 0, runs: 0, meanBatch: 0 };
