import { readlinkSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { basename } from 'node:path';

/**
 * Lets the calling thread give way to that of the sockets where they share a core. What reads,
 * answers and refuses late makes everybody late, and hides for how long sound waits; it needs
 * little of a core, and must not wait for a step of the model. On Linux each thread has a priority
 * of its own (setpriority(2)); elsewhere, and where that is not allowed, nothing happens.
 */
export function standBehind(): void {
  if (process.platform !== 'linux') return;
  try {
    const thread = Number(basename(readlinkSync('/proc/thread-self')));
    setPriority(thread, Math.min(nicest, getPriority(thread) + niceness));
  } catch {
    // The thread works without, and the sockets wait for it now and then.
  }
}

/** Each is a quarter more of a shared core for whoever is not nice. */
const niceness = 3;
const nicest = 19;
