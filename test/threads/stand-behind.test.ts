import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { workerUrl } from '../../src/threads/worker-url.ts';

/** How nice a thread is: field 19 of proc_pid_stat(5), the 17th behind its name in brackets. */
const niceOf = (stat: string): number => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);

/** What the kernel says of a thread of its own after it stood behind. */
function statSeen(): Promise<string> {
  const module = workerUrl(new URL('../../src/threads/stand-behind.ts', import.meta.url).href, 'stand-behind.js');
  const script = `
    const { standBehind } = await import(${JSON.stringify(module.href)});
    const { readFileSync } = await import('node:fs');
    const { parentPort } = await import('node:worker_threads');
    standBehind();
    parentPort.postMessage(readFileSync('/proc/thread-self/stat', 'utf8'));`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`));
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

describe.runIf(process.platform === 'linux')('a thread that stands behind the one of the sockets', () => {
  it('is nicer, and no other thread is', async () => {
    const before = niceOf(readFileSync('/proc/self/stat', 'utf8'));
    expect(niceOf(await statSeen())).toBe(Math.min(19, before + 3));
    expect(niceOf(readFileSync('/proc/self/stat', 'utf8'))).toBe(before);
  });
});
