import { Socket } from 'node:net';
import { BroadcastChannel, isMainThread } from 'node:worker_threads';
import { clockFd } from './clock-pipe.ts';

/**
 * Loaded before a program of Node (`--import`), lets another process step the wall clock that the
 * program sees: each line on its descriptor `clockFd` is by how many ms. All of `Date` steps, in
 * every thread; what runs outside JavaScript, and clocks that only go forward
 * (`performance.now`), do not, as when a machine's time is set.
 */
let shiftMs = 0;
const trueDate = Date;
const trueNow = Date.now.bind(Date);
const steppedNow = () => trueNow() + shiftMs;

globalThis.Date = new Proxy(trueDate, {
  construct(target, given, newTarget) {
    return Reflect.construct(target, given.length === 0 ? [steppedNow()] : given, newTarget);
  },
  apply: () => new trueDate(steppedNow()).toString(),
});
Date.now = steppedNow;

const threads = new BroadcastChannel('speechfb stepping clock');
threads.onmessage = (message: unknown) => {
  const { data } = message as { data: unknown };
  if (typeof data === 'number') shiftMs = data;
  else if (isMainThread) threads.postMessage(shiftMs);
};
threads.unref();

// A thread that begins later asks how far the clock has stepped.
if (!isMainThread) threads.postMessage('how far');
else {
  const pipe = new Socket({ fd: clockFd, readable: true, writable: false });
  pipe.unref();
  pipe.on('error', () => {});
  let text = '';
  pipe.on('data', (bytes) => {
    const lines = `${text}${bytes}`.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) shiftMs += Number(line);
    threads.postMessage(shiftMs);
  });
}
