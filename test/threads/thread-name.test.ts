import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { workerUrl } from '../../src/threads/worker-url.ts';

/** What a thread of its own is called by the kernel after it named itself. */
function nameSeen(): Promise<string> {
  const module = workerUrl(new URL('../../src/threads/thread-name.ts', import.meta.url).href, 'thread-name.js');
  const script = `
    const { nameThread } = await import(${JSON.stringify(module.href)});
    const { readFileSync } = await import('node:fs');
    const { parentPort } = await import('node:worker_threads');
    nameThread('speechfb-model');
    parentPort.postMessage(readFileSync('/proc/thread-self/comm', 'utf8').trim());`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`));
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

describe.runIf(process.platform === 'linux')('the name of a thread', () => {
  it('is what the kernel calls it, and nobody else', async () => {
    const before = readFileSync('/proc/self/comm', 'utf8');
    expect(await nameSeen()).toBe('speechfb-model');
    expect(readFileSync('/proc/self/comm', 'utf8')).toBe(before);
  });
});
