/** A limit on how often something may happen: `perSecond` on and on, `burst` at once. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #filledAtMs: number;

  /** @param nowMs the clock's reading now; the bucket starts full. */
  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#filledAtMs = nowMs;
  }

  /** Takes one token: 0 when there was one, else how many ms until there is. */
  take(atMs: number): number {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((atMs - this.#filledAtMs) * this.#perSecond) / 1000);
    this.#filledAtMs = atMs;
    if (this.#tokens >= 1) {
      this.#tokens -= 1;
      return 0;
    }
    return Math.ceil(((1 - this.#tokens) * 1000) / this.#perSecond);
  }
}
