import type { Limits } from '../limits.ts';

/**
 * What those inside are spared while the server is late, one step at a time and each worse than the
 * one before; backpressure names it.
 */
const steps = ['none', 'larger_groups', 'half_rate', 'finals_only', 'words_only', 'shedding'] as const;
export type Step = (typeof steps)[number];

/**
 * The levels from which on the model runs larger groups, results come half as often, phones are
 * told only when final, and then no longer.
 */
export const largerGroupsFrom = steps.indexOf('larger_groups');
export const halfRateFrom = steps.indexOf('half_rate');
export const finalsOnlyFrom = steps.indexOf('finals_only');
export const wordsOnlyFrom = steps.indexOf('words_only');

/**
 * Goes up a step while the delay stands, and down again when it is over. It goes up fast, since a
 * queue grows by the second, and down slowly enough that what a step saved does not bring the queue
 * back unseen.
 */
export class Ladder {
  readonly #limits: LadderLimits;
  /** From which delay on each further step is taken, ms. */
  readonly #entriesMs: readonly number[];
  readonly #leaveMs: number;
  #level = 0;
  #changedMs = Number.NEGATIVE_INFINITY;
  /**
   * How long it has to be over before a step is taken back: longer each time that that was too
   * soon.
   */
  #downAfterMs: number;
  #wentDownMs = Number.NEGATIVE_INFINITY;

  constructor(limits: LadderLimits) {
    const { largerGroupsAt, halfRateAt, finalsOnlyAt, wordsOnlyAt, sheddingAt, overloadDelayMs } = limits;
    this.#limits = limits;
    const entries = [largerGroupsAt, halfRateAt, finalsOnlyAt, wordsOnlyAt, sheddingAt];
    this.#entriesMs = entries.map((delays) => delays * overloadDelayMs);
    this.#leaveMs = limits.recoveredBelow * overloadDelayMs;
    this.#downAfterMs = limits.stepDownMs;
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
    const { stepUpMs, stepDownMs, stepTooSoonMs, mostStepDownMs } = this.#limits;
    const sinceMs = nowMs - this.#changedMs;
    const entryMs = this.#entriesMs[this.#level];
    if (entryMs !== undefined && standingMs > entryMs && sinceMs >= stepUpMs) {
      const wasTooSoon = nowMs - this.#wentDownMs < stepTooSoonMs;
      this.#downAfterMs = wasTooSoon ? Math.min(2 * this.#downAfterMs, mostStepDownMs) : stepDownMs;
      this.#level += 1;
    } else if (this.#level > 0 && standingMs < this.#leaveMs && sinceMs >= this.#downAfterMs) {
      this.#wentDownMs = nowMs;
      this.#level -= 1;
    } else return false;
    this.#changedMs = nowMs;
    return true;
  }
}

type LadderLimits = Pick<
  Limits,
  | 'overloadDelayMs'
  | 'largerGroupsAt'
  | 'halfRateAt'
  | 'finalsOnlyAt'
  | 'wordsOnlyAt'
  | 'sheddingAt'
  | 'recoveredBelow'
  | 'stepUpMs'
  | 'stepDownMs'
  | 'stepTooSoonMs'
  | 'mostStepDownMs'
>;
