import type { Worker } from 'node:worker_threads';
import { sharedNowMs } from '../../threads/shared-clock.ts';
import { Gathered, type StreamNews } from './worker-messages.ts';

/** Gathers what goes to the worker, from all streams, into few messages. */
export type Inbox = {
  opened(stream: number): void;
  push(stream: number, pcm: Float32Array): void;
  ended(stream: number): void;
  closed(stream: number): void;
  /** Forgets what waits; nothing more is sent. */
  stop(): void;
};

export function createInbox(worker: Worker, coalesceMs: number): Inbox {
  let pending = empty();
  const samples = new Gathered();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const send = (): void => {
    timer = undefined;
    const pcm = samples.take();
    const chunks = new Float64Array(pending.chunks);
    const message: StreamNews = { ...pending, pcm, chunks };
    pending = empty();
    worker.postMessage(message, [pcm.buffer, chunks.buffer]);
  };
  const note = (act: () => void): void => {
    if (stopped) return;
    act();
    timer ??= setTimeout(send, coalesceMs);
  };

  return {
    opened: (stream) => note(() => pending.opened.push(stream)),
    push: (stream, pcm) =>
      note(() => {
        pending.chunks.push(stream, pcm.length, sharedNowMs());
        samples.add(pcm);
      }),
    ended: (stream) => note(() => pending.ended.push(stream)),
    closed: (stream) => note(() => pending.closed.push(stream)),
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

type Pending = Omit<StreamNews, 'chunks' | 'pcm'> & { chunks: number[] };

function empty(): Pending {
  return { opened: [], chunks: [], ended: [], closed: [] };
}
