import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { GeneratorHealth } from '../../results/generator-health.ts';

/** Watches the thread that it is made on. */
export class HealthWatch {
  readonly #learners: number;
  readonly #delay = monitorEventLoopDelay({ resolution: lookMs });
  #from = now();

  constructor(learners: number) {
    this.#learners = learners;
    this.#delay.enable();
  }

  /** The work begins here; what came before does not count. */
  begin(): void {
    this.#from = now();
    this.#delay.reset();
  }

  end(): GeneratorHealth {
    const to = now();
    const { active } = performance.eventLoopUtilization(to.loop, this.#from.loop);
    // Nobody is saturated by a run that is over at once.
    const elapsedMs = Math.max(1000, to.atMs - this.#from.atMs);
    const cpuUs = to.cpu.user + to.cpu.system - this.#from.cpu.user - this.#from.cpu.system;
    const waitedNs =
      to.waitedNs === undefined || this.#from.waitedNs === undefined ? undefined : to.waitedNs - this.#from.waitedNs;
    const loopDelayP99Ms = Math.max(0, this.#delay.percentile(99) / 1e6 - lookMs);
    this.#delay.disable();
    return {
      learners: this.#learners,
      busy: active / elapsedMs,
      cpu: cpuUs / 1000 / elapsedMs,
      waited: waitedNs === undefined ? undefined : waitedNs / 1e6 / elapsedMs,
      loopDelayP99Ms,
      rssBytes: process.memoryUsage.rss(),
    };
  }
}

/** How often the loop is looked at; what the system reports is the time from look to look. */
const lookMs = 5;

function now() {
  return {
    atMs: performance.now(),
    loop: performance.eventLoopUtilization(),
    cpu: process.cpuUsage(),
    waitedNs: runQueueNs(),
  };
}

/**
 * Time that this thread was ready and waited for a core, ns; Linux with scheduler statistics only.
 */
function runQueueNs(): number | undefined {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[1]);
  } catch {
    return undefined;
  }
}
