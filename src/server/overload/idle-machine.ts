import { cpus } from 'node:os';
import { allowedCores, groupUsedMs, quotaCores, readSystemFile } from '../../usable-cores.ts';
import type { CoresUsed } from './lost-cores.ts';

/** What the system says of one moment. */
export type MachineTimes = {
  /** The times of each core, since it started. */
  cores: readonly { idleMs: number; allMs: number }[];
  /** The numbers of the cores that the process may use; undefined: all. */
  allowed?: ReadonlySet<number> | undefined;
  /** Cores' worth of time that its group may use; undefined: as much as there is. */
  quotaCores?: number | undefined;
  /**
   * What was used of that: by its group, where the system says so, or by the process alone, ms; and
   * when.
   */
  usedMs: number;
  /** What the process alone has used, ms; absent: all of that. */
  ownMs?: number | undefined;
  atMs: number;
};

/**
 * How much of what this process may use of the machine nobody uses, each time that it is asked: a
 * core that it is kept from is no room, and neither is what its quota does not give.
 */
export class IdleMachine {
  readonly #read: () => MachineTimes;
  #before: MachineTimes;
  #used: CoresUsed | undefined;

  constructor(read = readMachine) {
    this.#read = read;
    this.#before = read();
  }

  /** Cores that it may use, as of when it was asked last; less than one where its quota is. */
  get cores(): number {
    return Math.min(this.#before.quotaCores ?? Number.POSITIVE_INFINITY, countCores(this.#before));
  }

  /**
   * Cores' worth of time that this process and all others used of the cores that it may use, as of
   * then.
   */
  get used(): CoresUsed | undefined {
    return this.#used;
  }

  /**
   * Share that was idle since it was asked before, 0-1; undefined where the system does not say, or
   * within a tick of its clock.
   */
  share(): number | undefined {
    const [now, before] = [this.#read(), this.#before];
    this.#before = now;
    const share = idleShare(now, before);
    const spentMs = now.atMs - before.atMs;
    const own = ((now.ownMs ?? now.usedMs) - (before.ownMs ?? before.usedMs)) / spentMs;
    const others = Math.max(0, countCores(now) * (1 - (share ?? 0)) - own);
    this.#used = share === undefined || spentMs <= 0 ? undefined : { own, others };
    if (share === undefined || now.quotaCores === undefined || spentMs <= 0) return share;
    return Math.min(share, Math.max(0, 1 - (now.usedMs - before.usedMs) / (spentMs * now.quotaCores)));
  }
}

function countCores({ cores, allowed }: MachineTimes): number {
  return allowed ? Math.min(allowed.size, cores.length) : cores.length;
}

/** The share of the allowed cores that was idle. */
function idleShare(now: MachineTimes, before: MachineTimes): number | undefined {
  // One that came or went shifts the numbers of those behind it.
  if (now.cores.length !== before.cores.length) return undefined;
  let [idleMs, allMs] = [0, 0];
  for (const [core, times] of now.cores.entries()) {
    if (now.allowed && !now.allowed.has(core)) continue;
    idleMs += times.idleMs - before.cores[core]!.idleMs;
    allMs += times.allMs - before.cores[core]!.allMs;
  }
  return allMs <= 0 ? undefined : Math.min(1, Math.max(0, idleMs / allMs));
}

function readMachine(): MachineTimes {
  const { user, system } = process.cpuUsage();
  const ownMs = (user + system) / 1000;
  return {
    cores: cpus().map(({ times: { user, nice, sys, idle, irq } }) => ({
      idleMs: idle,
      allMs: user + nice + sys + idle + irq,
    })),
    allowed: allowedCores(/^Cpus_allowed_list:\s*(\S+)$/m.exec(readSystemFile('/proc/thread-self/status') ?? '')?.[1]),
    quotaCores: quotaCores(readSystemFile),
    usedMs: groupUsedMs(readSystemFile) ?? ownMs,
    ownMs,
    atMs: performance.now(),
  };
}
