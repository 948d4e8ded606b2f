import type { Worker } from 'node:worker_threads';
import { sharedNowMs } from '../../threads/shared-clock.ts';
import { Gathered, type StreamUpdates } from './worker-messages.ts';

/** Gathers what goes to the worker, from all streams, into few messages. */
export class WorkerInbox {
  readonly #worker: Worker;
  readonly #coalesceMs: number;
  #pending = empty();
  readonly #samples = new Gathered();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(worker: Worker, coalesceMs: number) {
    this.#worker = worker;
    this.#coalesceMs = coalesceMs;
  }

  opened(stream: number): void {
    this.#note(() => this.#pending.opened.push(stream));
  }

  push(stream: number, pcm: Float32Array): void {
    this.#note(() => {
      this.#pending.chunks.push(stream, pcm.length, sharedNowMs());
      this.#samples.add(pcm);
    });
  }

  ended(stream: number): void {
    this.#note(() => this.#pending.ended.push(stream));
  }

  closed(stream: number): void {
    this.#note(() => this.#pending.closed.push(stream));
  }

  /** Forgets what waits; nothing more is sent. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #send(): void {
    this.#timer = undefined;
    const pcm = this.#samples.take();
    const chunks = new Float64Array(this.#pending.chunks);
    const message: StreamUpdates = { ...this.#pending, pcm, chunks };
    this.#pending = empty();
    this.#worker.postMessage(message, [pcm.buffer, chunks.buffer]);
  }

  #note(act: () => void): void {
    if (this.#stopped) return;
    act();
    this.#timer ??= setTimeout(() => this.#send(), this.#coalesceMs);
  }
}

type Pending = Omit<StreamUpdates, 'chunks' | 'pcm'> & { chunks: number[] };

function empty(): Pending {
  return { opened: [], chunks: [], ended: [], closed: [] };
}
