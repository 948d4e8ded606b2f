/**
 * A session's clock: samples read in order, gaps included, over all epochs, ms. The intake moves
 * it; events are stamped with it.
 */
export class AudioClock {
  #ms = 0;

  get ms(): number {
    return this.#ms;
  }

  advanceTo(ms: number): void {
    this.#ms = ms;
  }
}
