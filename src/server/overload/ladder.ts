/**
 * What those inside are spared while the server is late, one step at a time and each worse than the
 * one before; backpressure names it.
 */
const steps = ['none', 'half_rate', 'finals_only', 'words_only', 'shedding'] as const;
export type Step = (typeof steps)[number];

/** The levels from which on phones are told only when final, and then no longer. */
export const finalsOnlyFrom = steps.indexOf('finals_only');
export const wordsOnlyFrom = steps.indexOf('words_only');

/**
 * Goes up a step while the delay stands, and down again when it is over. It goes up fast, since a
 * queue grows by the second, and down slowly enough that what a step saved does not bring the queue
 * back unseen.
 */
export class Ladder {
  readonly #targetMs: number;
  #level = 0;
  #changedMs = Number.NEGATIVE_INFINITY;
  /**
   * How long it has to be over before a step is taken back: longer each time that that was too
   * soon.
   */
  #downAfterMs = downAfterMs;
  #wentDownMs = Number.NEGATIVE_INFINITY;

  /** @param targetMs the delay that may stand, ms */
  constructor(targetMs: number) {
    this.#targetMs = targetMs;
  }

  /** Place in `steps`. */
  get level(): number {
    return this.#level;
  }

  get step(): Step {
    return steps[this.#level]!;
  }

  /** Whether the step has changed. */
  decide(nowMs: number, standingMs: number): boolean {
    const sinceMs = nowMs - this.#changedMs;
    const entry = entries[this.#level];
    if (entry !== undefined && standingMs > entry * this.#targetMs && sinceMs >= upAfterMs) {
      const wasTooSoon = nowMs - this.#wentDownMs < tooSoonMs;
      this.#downAfterMs = wasTooSoon ? Math.min(2 * this.#downAfterMs, mostDownAfterMs) : downAfterMs;
      this.#level += 1;
    } else if (this.#level > 0 && standingMs < leave * this.#targetMs && sinceMs >= this.#downAfterMs) {
      this.#wentDownMs = nowMs;
      this.#level -= 1;
    } else return false;
    this.#changedMs = nowMs;
    return true;
  }
}

/**
 * Each further step asks for a longer delay, in targets: the first must have been given its chance.
 */
const entries: readonly number[] = [1, 1.5, 2.5, 4];
const leave = 0.5;
const upAfterMs = 1000;
const downAfterMs = 1000;
const mostDownAfterMs = 32_000;
/** A step that is needed again within this time should not have been taken back. */
const tooSoonMs = 20_000;
