import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MessageChannel } from 'node:worker_threads';

const { port1: nowhere } = new MessageChannel();
nowhere.close();

/**
 * Frees the memory of `buffers` now; they are empty afterwards. A closed port takes what is
 * transferred to it and drops it. A collector that has to find 100 MB a second of such memory runs
 * all the time, and both threads wait for its helpers.
 */
export function releaseMemory(buffers: readonly ArrayBuffer[]): void {
  nowhere.postMessage(null, buffers);
}

/**
 * Collects this thread's garbage, all of it, now: some 20 ms. V8 collects when it needs room, not
 * when there is time.
 */
export function collectGarbage(): void {
  collector()();
}

/**
 * Collects what this thread left behind of late, in a millisecond or two. V8 does so when its heap
 * fills: to what lies outside it, as memory that was read from sockets, it comes too late, and goes
 * through all that lives to find it.
 */
export function collectYoungGarbage(): void {
  young ??= collector();
  young({ type: 'minor' });
}

type Collect = (of?: { type: 'minor' }) => void;

function collector(): Collect {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}

let young: Collect | undefined;
