import { performance } from 'node:perf_hooks';

/** How busy the threads of a server are, each time that it is asked. */
export class BusyThreads {
  #before = performance.eventLoopUtilization();

  /**
   * Share of its time that the busiest thread worked, 0-1: this one since it was asked before, the
   * others as they say themselves.
   */
  utilisation(...others: readonly (number | undefined)[]): number {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#before);
    this.#before = now;
    return Math.max(utilization, ...others.map((share) => share ?? 0));
  }
}
