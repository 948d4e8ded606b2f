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

/** What becomes of the delay; undefined: neither. */
export type Trend = 'runs away' | 'falls' | undefined;

/**
 * Goes up a step while the delay stands, and down again when it is over. It goes up fast, since a
 * queue grows by the second, and down slowly enough that what a step saved does not bring the queue
 * back unseen.
 */
export class Ladder {
  readonly #limits: LadderLimits;
  #level = 0;
  #changedMs = Number.NEGATIVE_INFINITY;
  /**
   * How long it has to be over before each step is taken back: longer each time that that was too
   * soon for this one.
   */
  readonly #downAfterMs: number[];
  readonly #wentDownMs: number[];

  constructor(limits: LadderLimits) {
    this.#limits = limits;
    this.#downAfterMs = steps.map(() => limits.stepDownMs);
    this.#wentDownMs = steps.map(() => Number.NEGATIVE_INFINITY);
  }

  /** Place in `steps`. */
  get level(): number {
    return this.#level;
  }

  get step(): Step {
    return steps[this.#level]!;
  }

  /**
   * Whether the step has changed.
   *
   * @param standingMs the delay that asks for the next step
   * @param calmMs the delay that has to be over before a step is taken back: of the half of the
   *   results that come late, which larger groups keep waiting, so that what a step saves is not
   *   given away while it is all that keeps the queue from growing
   * @param trend `runs away`: the delay grows so fast that no step may wait for what the one before
   *   saves, up to those that keep feedback from learners; `falls`: none of these is needed
   */
  decide(nowMs: number, standingMs: number, calmMs: number, trend?: Trend): boolean {
    const before = this.#level;
    const sinceMs = nowMs - this.#changedMs;
    const isMild = this.#level < finalsOnlyFrom;
    if (trend === 'runs away' && isMild) while (this.#level < finalsOnlyFrom && this.#up(nowMs, standingMs));
    else if ((isMild || trend !== 'falls') && sinceMs >= this.#limits.stepUpMs) this.#up(nowMs, standingMs);
    if (this.#level === before && this.#mayGoDown(calmMs, sinceMs)) {
      this.#wentDownMs[this.#level] = nowMs;
      this.#level -= 1;
    }
    if (this.#level === before) return false;
    this.#changedMs = nowMs;
    return true;
  }

  #up(nowMs: number, standingMs: number): boolean {
    const { stepDownMs, stepTooSoonMs, mostStepDownMs } = this.#limits;
    const entryMs = this.#entryMs(this.#level);
    if (entryMs === undefined || standingMs <= entryMs) return false;
    this.#level += 1;
    const wasTooSoon = nowMs - this.#wentDownMs[this.#level]! < stepTooSoonMs;
    const longerMs = Math.min(2 * this.#downAfterMs[this.#level]!, mostStepDownMs);
    this.#downAfterMs[this.#level] = wasTooSoon ? longerMs : stepDownMs;
    return true;
  }

  #mayGoDown(calmMs: number, sinceMs: number): boolean {
    if (this.#level === 0 || sinceMs < this.#downAfterMs[this.#level]!) return false;
    return calmMs < this.#limits.recoveredBelow * (this.#entryMs(this.#level - 1) ?? 0);
  }

  /** From which delay on the step behind this one is taken, ms; undefined: there is none. */
  #entryMs(level: number): number | undefined {
    const limit = entryLimits[level];
    return limit && this.#limits[limit] * this.#limits.overloadDelayMs;
  }
}

const entryLimits = ['largerGroupsAt', 'halfRateAt', 'finalsOnlyAt', 'wordsOnlyAt', 'sheddingAt'] as const;

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

/**
 * How far apart results are at half rate, in emit intervals. They come at even intervals, so that
 * every second one waits for the next.
 */
export const halfRateShare = 1.5;
