import { fstatSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { SpeechfbError } from '../errors.ts';
import { workerUrl } from './worker-url.ts';

/**
 * Ends this process, with SIGKILL, as soon as its parent is gone, whatever ended that: `fd` is one
 * end of a pipe whose other end only the parent holds, and the kernel closes that one with it. A
 * thread watches the pipe, so the process ends within milliseconds also while its own event loop is
 * busy. Error: `bad_flag` for a descriptor that is not open.
 */
export function endWithParent(fd: number): void {
  try {
    fstatSync(fd);
  } catch (cause) {
    throw new SpeechfbError('bad_flag', `--parent-fd: ${fd} is no open file descriptor`, { cause });
  }
  const watcher = new Worker(workerUrl(import.meta.url, 'parent-watcher.js'), {
    workerData: fd,
    // It holds one socket: a heap of the usual size would cost more than all of it.
    resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16 },
  });
  watcher.unref();
}
