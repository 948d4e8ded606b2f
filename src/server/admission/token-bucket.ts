/** A limit on how often something may happen: `perSecond` on and on, `burst` at once. */
export class TokenBucket {
  readonly #perSecond: () => number;
  readonly #burst: () => number;
  #tokens: number;
  #filledAtMs: number;

  /**
   * The bucket starts full.
   *
   * @param perSecond above 0; a function where it may change meanwhile
   * @param burst likewise
   * @param nowMs the clock's reading now
   */
  constructor(perSecond: Amount, burst: Amount, nowMs: number) {
    this.#perSecond = readingOf(perSecond);
    this.#burst = readingOf(burst);
    this.#tokens = this.#burst();
    this.#filledAtMs = nowMs;
  }

  /** What `take` would say. */
  waitMs(atMs: number, count = 1): number {
    const burst = this.#burst();
    const perSecond = this.#perSecond();
    this.#tokens = Math.min(burst, this.#tokens + ((atMs - this.#filledAtMs) * perSecond) / 1000);
    this.#filledAtMs = atMs;
    const wanted = Math.min(count, burst);
    return this.#tokens >= wanted ? 0 : Math.ceil(((wanted - this.#tokens) * 1000) / perSecond);
  }

  /**
   * Takes `count` tokens: 0 when they were there, else how many ms until they are. More than the
   * burst are given by a full bucket, which then owes the rest.
   */
  take(atMs: number, count = 1): number {
    const waitMs = this.waitMs(atMs, count);
    if (waitMs === 0) this.#tokens -= count;
    return waitMs;
  }

  /**
   * Takes `count` tokens that were taken elsewhere already: what is not there is owed, up to a
   * burst.
   */
  owe(atMs: number, count: number): void {
    this.waitMs(atMs, 0);
    this.#tokens = Math.max(-this.#burst(), this.#tokens - count);
  }
}

/** What may change meanwhile is a function. */
export type Amount = number | (() => number);

function readingOf(amount: Amount): () => number {
  return typeof amount === 'function' ? amount : () => amount;
}
