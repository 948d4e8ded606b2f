/**
 * Bounds retries by what is live, for all backends together: openings that are tried again are at
 * most `share` of the hearings that are open or opening, though `least` may always be. Without it
 * the retries are the overload (Google, Site Reliability Engineering, ch. 21; Envoy bounds them by
 * the same share).
 */
export class RetryBudget {
  readonly #share: number;
  readonly #least: number;
  #live = 0;
  #retrying = 0;

  constructor(share = 0.2, least = 1) {
    this.#share = share;
    this.#least = least;
  }

  get live(): number {
    return this.#live;
  }

  get retrying(): number {
    return this.#retrying;
  }

  began(): void {
    this.#live += 1;
  }

  ended(): void {
    this.#live -= 1;
  }

  /** Takes one; false: there is none left. */
  take(): boolean {
    if (this.#retrying + 1 > Math.max(this.#least, Math.floor(this.#share * this.#live + 1e-9))) return false;
    this.#retrying += 1;
    return true;
  }

  release(): void {
    this.#retrying -= 1;
  }
}
