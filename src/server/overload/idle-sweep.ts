/**
 * Gives memory back when the last of some sessions has ended. V8 collects when it needs room, not
 * when there is time: a server that has been busy would hold its garbage until it is busy again. A
 * collection takes some 20 ms, which nobody waits for then.
 */
export class IdleSweep {
  readonly #collect: () => void;
  #isUntidy = false;
  #idleSinceMs: number | undefined;

  /** @param collect lets every thread collect. */
  constructor(collect: () => void) {
    this.#collect = collect;
  }

  /** @param sessions how many there are now. */
  look(sessions: number, nowMs: number): void {
    if (sessions > 0) {
      this.#isUntidy = true;
      this.#idleSinceMs = undefined;
      return;
    }
    this.#idleSinceMs ??= nowMs;
    if (!this.#isUntidy || nowMs - this.#idleSinceMs < settleMs) return;
    this.#isUntidy = false;
    this.#collect();
  }
}

const settleMs = 500;
