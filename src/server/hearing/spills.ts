import type { RouteDecision } from '../../routing/decide/decide.ts';
import type { Log } from '../../telemetry/log.ts';

/**
 * Says when sessions go past a backend that they were meant for, and when they come to it again.
 */
export class Spills {
  readonly #log: Log;
  readonly #spilling = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** A session went to `to`, past those that could not take it. */
  note(hindered: RouteDecision['hindered'], to: string): void {
    for (const { backend, why } of hindered) {
      if (this.#spilling.has(backend)) continue;
      this.#spilling.add(backend);
      this.#log.warn({ backend, why, to }, 'sessions spill past a backend');
    }
    if (this.#spilling.delete(to)) this.#log.info({ backend: to }, 'sessions come to the backend again');
  }
}
