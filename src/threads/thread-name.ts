import { writeFileSync } from 'node:fs';

/**
 * Names the calling thread for `top -H`, `ps -L` and `perf`: at most 15 characters, the kernel cuts
 * off the rest. Node 20 has no way of its own. Only Linux lets a thread write its name into a file;
 * elsewhere, and where /proc is not writable, nothing happens.
 */
export function nameThread(name: ThreadName): void {
  if (process.platform !== 'linux') return;
  try {
    writeFileSync('/proc/thread-self/comm', name);
  } catch {
    // A name is a convenience: the thread works without one.
  }
}

/** The threads of a server that have a name; the one of the sockets has its process's. */
export type ThreadName = 'speechfb-model' | 'speechfb-score';
