import { readFileSync } from 'node:fs';

/**
 * The most memory that a process has held, looked at twenty times a second; Linux only, elsewhere
 * 0.
 */
export class PeakMemory {
  readonly #timer: NodeJS.Timeout;
  megabytes = 0;

  constructor(pid: number) {
    this.#timer = setInterval(() => {
      this.megabytes = Math.max(this.megabytes, residentMegabytes(pid));
    }, 50);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/** What a process holds now, or 0. */
export function residentMegabytes(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    // The process has ended.
    return 0;
  }
}
