import type { RandomStream } from '../../stats/random-stream.ts';

/**
 * A share of the frames that are due from after `fromMs` until `untilMs` inclusive, ms on the
 * clock.
 */
type Loss = { share: number; fromMs: number; untilMs: number };

/**
 * Decides which frames one app loses before it sends them. By due times, so that the same seed
 * loses the same frames however late a generator is.
 */
export class FrameLoss {
  readonly #random: RandomStream;
  #losses: Loss[] = [];

  constructor(random: RandomStream) {
    this.#random = random;
  }

  begin(loss: Loss): void {
    this.#losses.push(loss);
  }

  /** To be asked once for each frame, in order. Each loss that goes on draws for itself. */
  takes(dueMs: number): boolean {
    if (this.#losses.length === 0) return false;
    this.#losses = this.#losses.filter(({ untilMs }) => dueMs <= untilMs);
    const going = this.#losses.filter(({ fromMs }) => dueMs > fromMs);
    return going.map(({ share }) => this.#random() < share).includes(true);
  }
}
