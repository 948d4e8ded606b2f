/**
 * When a session is to be looked at: at each tick where something of it waits, some times a second
 * for its timeouts, and less often once it has been silent for a while, so that thousands who are
 * connected and say nothing leave the thread to those who speak. All times in ms.
 */
export class LookSchedule {
  #heardMs: number;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #restsUntilMs = Number.NEGATIVE_INFINITY;

  constructor(nowMs: number) {
    this.#heardMs = nowMs;
  }

  /** Its client has said something, or is there again. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs;
    this.#restsUntilMs = nowMs;
  }

  /** Whether nothing can have come of it since it was looked at: a cheap question, asked of all. */
  rests(nowMs: number): boolean {
    return nowMs < this.#restsUntilMs;
  }

  /** @param waits whether something of it waits */
  isDue(nowMs: number, waits: boolean): boolean {
    return waits || nowMs - this.#lookedMs >= lookEveryMs;
  }

  /** @param waits whether something of it may come without its client */
  looked(nowMs: number, waits: boolean): void {
    this.#lookedMs = nowMs;
    if (!waits && nowMs - this.#heardMs > silentMs) this.#restsUntilMs = nowMs + restMs;
  }
}

/** For timeouts, and readers that do not read. */
const lookEveryMs = 100;
/** What a session that is silent for so long has said is scored. */
const silentMs = 2000;
const restMs = 500;
