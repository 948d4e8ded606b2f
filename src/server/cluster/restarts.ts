/**
 * When a gateway that died is started again: at once the first time, later each time that it lived
 * less than a minute, and no more after so many of these in a row.
 */
export class Restarts {
  readonly #firstDelayMs: number;
  #startedMs = 0;
  #failures = 0;

  constructor(firstDelayMs = defaultFirstDelayMs) {
    this.#firstDelayMs = firstDelayMs;
  }

  started(nowMs: number): void {
    this.#startedMs = nowMs;
  }

  /** How long to wait, ms; undefined: it has died too often. */
  died(nowMs: number): number | undefined {
    this.#failures = nowMs - this.#startedMs < longLifeMs ? this.#failures + 1 : 1;
    if (this.#failures > mostFailures) return undefined;
    return Math.min(longestDelayMs, this.#firstDelayMs * 2 ** (this.#failures - 1));
  }
}

const defaultFirstDelayMs = 100;
const longestDelayMs = 30_000;
const longLifeMs = 60_000;
/** With twice the delay each time, this is after some three minutes. */
const mostFailures = 12;
