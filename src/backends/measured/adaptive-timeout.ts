import { quantileInPlace } from '../../stats/quantile.ts';

export type TimeoutBounds = { floorMs: number; ceilingMs: number };

/**
 * How long to wait for a backend: twice the measured p99 of its last 500 answers, within bounds;
 * until there are 20 of them, the ceiling. A wait that was given up counts as an answer of its
 * length, so that a backend that has become slower is waited for longer, up to the ceiling, and is
 * not shut out for ever by its own better days.
 */
export class AdaptiveTimeout {
  readonly #bounds: TimeoutBounds;
  readonly #answers: number[] = [];
  #next = 0;
  #p99: number | undefined;
  /** Answers that `#p99` does not know; sorting out 500 costs more than a frame may. */
  #unseen = 0;

  constructor(bounds: TimeoutBounds) {
    this.#bounds = bounds;
  }

  /** Answers that it knows, 500 at most. */
  get count(): number {
    return this.#answers.length;
  }

  /** Whether it has measured enough to go by. */
  get isMeasured(): boolean {
    return this.count >= leastAnswers;
  }

  get p99Ms(): number | undefined {
    if (!this.isMeasured) return undefined;
    if (this.#p99 === undefined || this.#unseen > this.count / 32) {
      this.#p99 = quantileInPlace(Float64Array.from(this.#answers), 0.99);
      this.#unseen = 0;
    }
    return this.#p99;
  }

  get ms(): number {
    const { floorMs, ceilingMs } = this.#bounds;
    return Math.min(ceilingMs, Math.max(floorMs, (this.p99Ms ?? Number.POSITIVE_INFINITY) * factor));
  }

  /** Whether the ceiling is less than what was measured. */
  get isBeyond(): boolean {
    return (this.p99Ms ?? 0) * factor > this.#bounds.ceilingMs;
  }

  add(ms: number): void {
    this.#answers[this.#next] = ms;
    this.#next = (this.#next + 1) % mostAnswers;
    this.#unseen += 1;
  }

  /** A wait was given up; the next knows of it at once. */
  gaveUp(ms: number): void {
    this.add(ms);
    this.#p99 = undefined;
  }
}

const factor = 2;
const leastAnswers = 20;
const mostAnswers = 500;
