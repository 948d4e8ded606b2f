import { cpus } from 'node:os';

type CpuTimes = { idleMs: number; allMs: number };

/** How much of the machine nobody uses, each time that it is asked. */
export class IdleMachine {
  readonly #read: () => CpuTimes;
  #before: CpuTimes;

  constructor(read = readCpus) {
    this.#read = read;
    this.#before = read();
  }

  /**
   * Share of the time of all cores that was idle since it was asked before, 0-1; undefined where
   * the system does not say, or within a tick of its clock.
   */
  share(): number | undefined {
    const { idleMs, allMs } = this.#read();
    const spentMs = allMs - this.#before.allMs;
    if (spentMs <= 0) return undefined;
    const share = (idleMs - this.#before.idleMs) / spentMs;
    this.#before = { idleMs, allMs };
    return Math.min(1, Math.max(0, share));
  }
}

function readCpus(): CpuTimes {
  let [idleMs, allMs] = [0, 0];
  for (const { times } of cpus()) {
    idleMs += times.idle;
    allMs += times.user + times.nice + times.sys + times.idle + times.irq;
  }
  return { idleMs, allMs };
}
