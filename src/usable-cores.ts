import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/**
 * The cores' worth of time that this process may use: those that its affinity leaves it, and no
 * more than the quota of its container, which libuv knows only since Node 22; less than one where
 * that is. A server that counts the cores of its host lets in a host's worth of learners, and is
 * throttled with all of them.
 */
export function usableCores(read = readSystemFile, parallelism = availableParallelism()): number {
  return Math.min(parallelism, quotaCores(read) ?? Number.POSITIVE_INFINITY);
}

/** How many threads or processes have a core each: at least one. */
export function threadsFor(cores = usableCores()): number {
  return Math.max(1, Math.floor(cores));
}

/**
 * The cores of a list such as `0-2,5`, as the kernel writes those that a thread may use
 * (proc_pid_status(5)); undefined: it names none.
 */
export function allowedCores(list = ''): Set<number> | undefined {
  const cores = new Set<number>();
  for (const range of list.split(',')) {
    const [first = 0, last = first] = range === '' ? [0, -1] : range.split('-').map(Number);
    for (let core = first; core <= last; core++) cores.add(core);
  }
  return cores.size > 0 ? cores : undefined;
}

/**
 * The cores' worth of time that a container may use (the CPU controllers of cgroup v2 and v1);
 * undefined: no less than there is.
 *
 * @param read the text of a file; undefined: there is none
 */
export function quotaCores(read: (path: string) => string | undefined): number | undefined {
  const v1 = (name: string) => read(`/sys/fs/cgroup/cpu/cpu.cfs_${name}_us`) ?? '';
  const [quota, period] = (read('/sys/fs/cgroup/cpu.max') ?? `${v1('quota')} ${v1('period')}`).split(/\s+/).map(Number);
  return quota! > 0 && period! > 0 ? quota! / period! : undefined;
}

/**
 * The processor time that all processes of a container have used (cgroup v2 and v1), ms; undefined:
 * the system does not say. One of several gateways uses a part of their quota only.
 *
 * @param read the text of a file; undefined: there is none
 */
export function groupUsedMs(read: (path: string) => string | undefined): number | undefined {
  const us = /^usage_usec (\d+)$/m.exec(read('/sys/fs/cgroup/cpu.stat') ?? '')?.[1];
  if (us !== undefined) return Number(us) / 1000;
  const ns = Number.parseInt(read('/sys/fs/cgroup/cpuacct/cpuacct.usage') ?? '', 10);
  return Number.isNaN(ns) ? undefined : ns / 1_000_000;
}

/** The text of a file of the system; undefined: there is none, or nobody may read it. */
export function readSystemFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
