/**
 * Joins two clocks of sound, both in ms: the app's, which runs on over frames that are never sent,
 * and the server's, which knows only what it got. Between two gaps they run together.
 */
export class SampleClock {
  /** Where stretches without a gap begin on both clocks. */
  readonly #stretches: { serverMs: number; appMs: number }[] = [];
  #serverMs = 0;
  #appMs: number;
  #gap = true;

  /** `appMs`: where the app's clock stands when the server's begins. */
  constructor(appMs: number) {
    this.#appMs = appMs;
  }

  /** Sound of this length was sent. */
  sent(ms: number): void {
    if (this.#gap) this.#stretches.push({ serverMs: this.#serverMs, appMs: this.#appMs });
    this.#gap = false;
    this.#serverMs += ms;
    this.#appMs += ms;
  }

  /** Sound of this length was due and not sent. */
  skipped(ms: number): void {
    this.#appMs += ms;
    this.#gap = true;
  }

  /**
   * How far the server has come on the app's clock when it has heard `serverMs`; never beyond what
   * was sent.
   */
  appMs(serverMs: number): number {
    const ms = Math.min(Math.max(serverMs, 0), this.#serverMs);
    const stretch = this.#stretches.findLast((one) => one.serverMs < ms) ?? this.#stretches[0];
    return stretch ? stretch.appMs + ms - stretch.serverMs : this.#appMs;
  }
}
