import { parentPort, workerData } from 'node:worker_threads';
import { collectGarbage, releaseMemory } from '../../threads/memory.ts';
import { type PlainError, toPlainError } from '../../threads/plain-error.ts';
import { toThreadMs } from '../../threads/shared-clock.ts';
import { nameThread } from '../../threads/thread-name.ts';
import type { EngineStream } from '../engine/engine-stream.ts';
import { openCore } from '../engine/inline-engine.ts';
import type { AcousticFrames, EngineFault } from '../engine/types.ts';
import { chunkFields, type FromWorker, ResultsGatherer, type ToWorker, type WorkerStart } from './worker-messages.ts';

/**
 * The thread of the worker engine: it owns the device and runs the same core as the inline engine.
 */
const port = parentPort!;
const start: WorkerStart = workerData;
/** Admission reads the stats: often enough to see a burst. */
const statsEveryMs = 200;

nameThread('speechfb-model');
try {
  const { warm, deviceMayBeGone } = start;
  const { core, whyNotNative, tuning } = await openCore(start, {
    warm,
    deviceMayBeGone,
    onLoss: (lost) => post({ type: 'lost-device', provider: 'cpu', lost }),
  });
  serve(core);
  post({ type: 'ready', provider: core.provider, whyNotNative, tuning });
} catch (error) {
  post({ type: 'unfit', error: toPlainError(error) });
  port.close();
}

function serve(core: Awaited<ReturnType<typeof openCore>>['core']): void {
  const streams = new Map<number, EngineStream>();
  const outbox = createOutbox();
  const open = (stream: number) =>
    core.open(
      (frames) => outbox.frames(stream, frames),
      (error) => {
        streams.delete(stream);
        outbox.failed(stream, toPlainError(error));
      },
    );

  const close = async () => {
    clearInterval(telling);
    await core.close();
    port.close();
  };

  port.on('message', (message: ToWorker) => {
    if (message === 'close') {
      void close();
      return;
    }
    if (message === 'tidy') {
      collectGarbage();
      return;
    }
    if (message === 'larger groups' || message === 'usual groups') {
      core.preferGroups(message === 'larger groups');
      return;
    }
    if ('action' in message) {
      applyFault(message);
      return;
    }
    const { opened, chunks, pcm, ended, closed } = message;
    for (const stream of opened) streams.set(stream, open(stream));
    let offset = 0;
    for (let at = 0; at < chunks.length; at += chunkFields) {
      const samples = chunks[at + 1]!;
      const arrivedMs = toThreadMs(chunks[at + 2]!);
      streams.get(chunks[at]!)?.push(pcm.subarray(offset, offset + samples), arrivedMs);
      offset += samples;
    }
    releaseMemory([chunks.buffer, pcm.buffer]);
    for (const stream of ended) {
      const finished = () => {
        if (streams.delete(stream)) outbox.ended(stream);
      };
      // A failure has been reported through the stream's own callback.
      streams
        .get(stream)
        ?.end(performance.now())
        .then(finished, () => {});
    }
    for (const stream of closed) {
      streams.get(stream)?.close();
      streams.delete(stream);
    }
  });
  const telling = setInterval(() => post({ type: 'stats', stats: core.stats() }), statsEveryMs);
}

/** Gathers what one run gave to all its streams into one message. */
function createOutbox() {
  const results = new ResultsGatherer();
  let scheduled = false;
  const schedule = () => {
    // The next run begins in a later immediate, so this one goes out before the thread is busy
    // again.
    if (!scheduled) setImmediate(flush);
    scheduled = true;
  };
  const flush = () => {
    scheduled = false;
    const { message, transfer } = results.take();
    port.postMessage(message, transfer);
  };
  return {
    frames(stream: number, frames: AcousticFrames) {
      results.frames(stream, frames);
      schedule();
    },
    ended(stream: number) {
      results.ended(stream);
      schedule();
    },
    failed(stream: number, error: PlainError) {
      results.failed(stream, error);
      schedule();
    },
  };
}

/** Fails as it was told to: a load test wants to see what learners feel then. */
function applyFault(fault: EngineFault): void {
  if (fault.action === 'kill') throw new Error('killed by fault injection');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, fault.ms);
}

function post(message: FromWorker): void {
  port.postMessage(message);
}
