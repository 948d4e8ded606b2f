/** When to acknowledge: after frames, at most once an interval, or at once when asked. */
export class AckSchedule {
  readonly #intervalMs: number;
  #isOwed = false;
  #sentMs = Number.NEGATIVE_INFINITY;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** A frame came: an acknowledgement is due. */
  frame(): void {
    this.#isOwed = true;
  }

  /**
   * Whether to send one now; if so it counts as sent. `riding`: another event goes out anyway, so
   * that one that is nearly due goes with it.
   */
  due(nowMs: number, how: AckTiming): boolean {
    if (!this.isDue(nowMs, how)) return false;
    this.#isOwed = false;
    this.#sentMs = nowMs;
    return true;
  }

  /** Whether `due` would say so. */
  isDue(nowMs: number, how: AckTiming): boolean {
    if (how === 'at once') return true;
    const waitMs = how === 'riding' ? ridingShare * this.#intervalMs : this.#intervalMs;
    return this.#isOwed && nowMs - this.#sentMs >= waitMs;
  }
}

export type AckTiming = 'timely' | 'riding' | 'at once';

/** Share of the interval after which an acknowledgement may ride with another event. */
const ridingShare = 0.75;
