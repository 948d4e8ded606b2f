import { setPriority } from 'node:os';

/**
 * Lets a process that has just been started give way to all others. What stands for machines of
 * its own takes a core for seconds when it starts, and learners who speak late meanwhile say
 * nothing of the gateways that are measured.
 */
export function giveWay(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, niceness);
  } catch {
    // It has ended, or the system does not let us: it takes its share.
  }
}

/** A tenth of what the others get of a core that they share, and all of one that is idle. */
const niceness = 10;
