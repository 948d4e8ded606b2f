import type { EngineFault } from './types.ts';

/** What happens to the runs of a model, and not to its thread. */
export type RunFault = Extract<EngineFault, { action: 'fail' | 'slow' }>;

/** What a load test does to the runs of an engine; times on the caller's clock, ms. */
export class Disturbance {
  #fails = false;
  #slow = { times: 1, untilMs: Number.NEGATIVE_INFINITY };

  begin(fault: RunFault, nowMs: number): void {
    if (fault.action === 'fail') this.#fails = true;
    else this.#slow = { times: fault.times, untilMs: nowMs + fault.ms };
  }

  /** Throws, once, when the next run is to fail. */
  beforeRun(): void {
    if (!this.#fails) return;
    this.#fails = false;
    throw new Error('a run of the model failed by fault injection');
  }

  /** How much longer a run from `startMs` to `endMs` is to take, ms. */
  delayOf(startMs: number, endMs: number): number {
    const { times, untilMs } = this.#slow;
    return endMs < untilMs ? (times - 1) * (endMs - startMs) : 0;
  }
}
