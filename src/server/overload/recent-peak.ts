/** The greatest of what was seen within the last half minute to a minute. */
export class RecentPeak {
  #half = -1;
  #peak = 0;
  #before = 0;

  add(nowMs: number, value: number): void {
    this.#turn(nowMs);
    this.#peak = Math.max(this.#peak, value);
  }

  of(nowMs: number): number {
    this.#turn(nowMs);
    return Math.max(this.#peak, this.#before);
  }

  #turn(nowMs: number): void {
    const half = Math.floor(nowMs / halfMinuteMs);
    if (half === this.#half) return;
    this.#before = half === this.#half + 1 ? this.#peak : 0;
    this.#peak = 0;
    this.#half = half;
  }
}

const halfMinuteMs = 30_000;
