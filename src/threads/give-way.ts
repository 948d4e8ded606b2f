import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/**
 * Lets a process be nicer than this one is by so much, 10 unless said otherwise: each step is a
 * quarter more of a shared core for whoever is less nice, and nobody lacks anything of an idle one.
 * It never makes a process less nice than it is.
 *
 * On Linux a priority is a thread's (setpriority(2)), so that each that is there is told; those to
 * come have that of whoever starts them. And where sessions of processes share a machine as wholes
 * (autogroups of sched(7), as most desktops and servers have them), a priority only counts inside
 * one, so that the session is told as well, unless others than this process may have begun it.
 *
 * @param pid undefined: it did not start. One that has ended, or is another user's, stays as it is.
 */
export function giveWay(pid: number | undefined, by: number = toBatchWork): void {
  if (pid === undefined) return;
  const niceness = Math.min(nicest, getPriority() + by);
  for (const thread of threadsOf(pid)) {
    try {
      setPriority(thread, Math.max(niceness, getPriority(thread)));
    } catch {
      // It has ended, or the system does not let us: it takes its share.
    }
  }
  if (process.platform === 'linux') giveSessionWay(pid, niceness, mostTries);
}

function threadsOf(pid: number): readonly number[] {
  try {
    return process.platform === 'linux' ? readdirSync(`/proc/${pid}/task`).map(Number) : [pid];
  } catch {
    return [];
  }
}

function giveSessionWay(pid: number, niceness: number, triesLeft: number): void {
  try {
    if (sessionOf(pid) !== pid) return;
    const group = `/proc/${pid}/autogroup`;
    const nice = /nice (-?\d+)/.exec(readFileSync(group, 'utf8'))?.[1];
    if (nice !== undefined && Number(nice) < niceness) writeFileSync(group, String(niceness));
  } catch (error) {
    // The kernel lets all who are not root change one each 100 ms, together.
    const isTooSoon = error instanceof Error && 'code' in error && error.code === 'EAGAIN';
    if (isTooSoon && triesLeft > 1)
      setTimeout(() => giveSessionWay(pid, niceness, triesLeft - 1), againAfterMs).unref();
  }
}

/** The process that began the session of `pid`: field 6 of proc_pid_stat(5). */
function sessionOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]);
}

/** A tenth of what the others get of a core that they share. */
const toBatchWork = 10;
const nicest = 19;
const againAfterMs = 130;
const mostTries = 20;
