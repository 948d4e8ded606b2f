/** Why the source of a policy gave nothing that could be used. */
type Failure = 'unreachable' | 'refused' | 'unaudited';

/** How well the source of a policy does. Times are on one monotonic clock, ms. */
export class SourceHealth {
  readonly #isPolled: boolean;
  readonly #failures = new Map<Failure, number>(
    (['unreachable', 'refused', 'unaudited'] as const).map((why) => [why, 0]),
  );
  #answeredMs: number;
  /** Since when what it says cannot be used. */
  #uselessSinceMs: number | undefined;

  /** @param isPolled it is asked again and again; a file is known to be as it was read */
  constructor(isPolled: boolean, nowMs: number) {
    this.#isPolled = isPolled;
    this.#answeredMs = nowMs;
  }

  get failures(): ReadonlyMap<string, number> {
    return this.#failures;
  }

  answered(nowMs: number): void {
    this.#answeredMs = nowMs;
  }

  /** What it said last can be used. */
  used(): void {
    this.#uselessSinceMs = undefined;
  }

  failed(why: Failure, nowMs: number): void {
    this.#failures.set(why, this.#failures.get(why)! + 1);
    if (why !== 'unreachable') this.#uselessSinceMs ??= nowMs;
  }

  /** How long ago it last said what can be used. */
  ageMs(nowMs: number): number {
    const answeredMs = this.#isPolled ? this.#answeredMs : nowMs;
    return nowMs - Math.min(answeredMs, this.#uselessSinceMs ?? answeredMs);
  }
}
