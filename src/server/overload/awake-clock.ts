/**
 * A clock that stands still while the server does: a process that was stopped, or whose thread had
 * something else to do, finds what its clients said meanwhile only after it has looked at the time.
 * What is waited for on this clock is not over before it could have been heard.
 */
export class AwakeClock {
  readonly #now: () => number;
  #tickedMs: number;
  #missedMs = 0;

  /** @param now monotonic, ms */
  constructor(now: () => number) {
    this.#now = now;
    this.#tickedMs = now();
  }

  /** To be called by a timer, many times a second. */
  tick(): void {
    const nowMs = this.#now();
    this.#missedMs += stillMs(nowMs - this.#tickedMs);
    this.#tickedMs = nowMs;
  }

  /** Monotonic, ms. */
  get ms(): number {
    const nowMs = this.#now();
    return nowMs - this.#missedMs - stillMs(nowMs - this.#tickedMs);
  }
}

function stillMs(sinceTickMs: number): number {
  return Math.max(0, sinceTickMs - longestTickMs);
}

/** A timer that comes this late is one of a busy server; later, of one that stood still. */
const longestTickMs = 500;
