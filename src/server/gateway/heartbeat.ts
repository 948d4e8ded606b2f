/**
 * When a socket is pinged, and whether it answers. Each has beats of its own, since thousands are
 * neither to be pinged nor to answer at once. All times in ms.
 */
export class Heartbeat {
  readonly #everyMs: number;
  #beatMs: number;
  #isAlive = true;

  constructor(everyMs: number, nowMs: number) {
    this.#everyMs = everyMs;
    this.#beatMs = nowMs;
  }

  /** The client has said something. */
  heard(): void {
    this.#isAlive = true;
  }

  isDue(nowMs: number): boolean {
    return nowMs - this.#beatMs >= this.#everyMs;
  }

  /** Begins the next beat; false: nothing was heard since the last one. */
  begin(nowMs: number): boolean {
    const wasAlive = this.#isAlive;
    this.#isAlive = false;
    this.#beatMs = nowMs;
    return wasAlive;
  }
}
