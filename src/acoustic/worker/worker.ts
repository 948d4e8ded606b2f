import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { collectGarbage } from '../../threads/memory.ts';
import { toPlainError } from '../../threads/plain-error.ts';
import { standBehind } from '../../threads/stand-behind.ts';
import { nameThread } from '../../threads/thread-name.ts';
import type { EngineCore } from '../engine/engine-core.ts';
import { openCore } from '../engine/inline-engine.ts';
import type { EngineFault } from '../engine/types.ts';
import { StreamDesk } from './stream-desk.ts';
import type { FromWorker, ToWorker, WorkerStart } from './worker-messages.ts';

/**
 * The thread of the worker engine: it owns the device and runs the same core as the inline engine.
 */
const port = parentPort!;
const start: WorkerStart = workerData;
/** Admission reads the stats: often enough to see a burst. */
const statsEveryMs = 200;
const restMs = 20;
/** Later than this a timer was held up. */
const restedMs = 100;
/** A machine that is never on time is ready too. */
const mostRests = 20;

nameThread('speechfb-model');
standBehind();
try {
  const { warm, deviceMayBeGone } = start;
  const { core, whyNotNative, tuning } = await openCore(start, {
    warm,
    deviceMayBeGone,
    endsWithFailure: true,
    onLoss: (lost) => post({ type: 'lost-device', provider: 'cpu', lost }),
  });
  serve(core);
  await rested();
  post({ type: 'ready', provider: core.provider, whyNotNative, tuning });
} catch (error) {
  post({ type: 'unfit', error: toPlainError(error) });
  port.close();
  start.link.port.close();
}

/**
 * Resolves when a timer has come on time. V8 finishes with the WebAssembly that was just warmed up
 * when its thread first rests, and stands still for it: half a second, and seconds on a machine
 * that others use too. That is a part of warming up, and no silence of a server that is ready.
 */
async function rested(): Promise<void> {
  for (let tries = 0; tries < mostRests; tries++) {
    const sinceMs = performance.now();
    await delay(restMs);
    if (performance.now() - sinceMs < restedMs) return;
  }
}

function serve(core: EngineCore): void {
  const desk = new StreamDesk(start.link, core);
  const telling = setInterval(() => post({ type: 'stats', stats: core.stats() }), statsEveryMs);
  const close = async () => {
    clearInterval(telling);
    await core.close();
    desk.close();
    port.close();
  };
  port.on('message', (message: ToWorker) => {
    if (message === 'close') void close();
    else if (message === 'tidy') collectGarbage();
    else if ('action' in Object(message)) applyFault(message as EngineFault, core);
    else core.preferGroups(message === 'larger groups');
  });
}

/** Fails as it was told to: a load test wants to see what learners feel then. */
function applyFault(fault: EngineFault, core: EngineCore): void {
  if (fault.action === 'kill') throw new Error('killed by fault injection');
  if (fault.action === 'stall') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, fault.ms);
  else core.disturb(fault);
}

function post(message: FromWorker): void {
  port.postMessage(message);
}
