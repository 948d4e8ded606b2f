import { backoffMs } from '../../backoff.ts';
import type { RandomStream } from '../../stats/random-stream.ts';

/** How a learner who was refused comes again. */
export type RetryPolicy = {
  /** How long after the first attempt, ms. */
  forMs: number;
  /** The wait before the second attempt, and the longest; it doubles from the one to the other. */
  firstMs: number;
  maxMs: number;
};

/** The attempts of one learner to get in: waits as the server asks, or longer each time. */
export class Retry {
  readonly #policy: RetryPolicy;
  readonly #random: RandomStream;
  #attempt = 0;
  #firstRefusedMs: number | undefined;

  constructor(policy: RetryPolicy, random: RandomStream) {
    this.#policy = policy;
    this.#random = random;
  }

  /**
   * When to ask again, on the same clock; undefined: the learner has given up.
   *
   * @param askedMs what the server asked to wait. Up to a quarter more is waited, so that those who
   *   were refused together do not come back together
   */
  nextMs(nowMs: number, askedMs: number | undefined): number | undefined {
    this.#firstRefusedMs ??= nowMs;
    const ownMs = backoffMs(this.#attempt++, this.#random, this.#policy);
    const asked = (askedMs ?? 0) * (1 + this.#random() / 4);
    const atMs = nowMs + Math.max(ownMs, asked);
    return atMs <= this.#firstRefusedMs + this.#policy.forMs ? atMs : undefined;
  }
}
