/**
 * A free phone loop: the likeliest course through all phones, where beginning a phone has a price.
 * It says what each frame is worth to a listener who does not know the text, so that a word must
 * explain the sound better than any phones do.
 */
export class PhoneLoop {
  readonly #score: Float64Array;
  readonly #phoneCost: number;
  #best = 0;

  /** @param phoneCost What beginning a phone costs, nats. */
  constructor(phones: number, phoneCost: number) {
    this.#score = new Float64Array(phones);
    this.#phoneCost = phoneCost;
  }

  /**
   * Takes one frame, a log score for each phone (columns beyond them are not read); returns what
   * the likeliest course gains, nats.
   */
  step(emission: Float32Array): number {
    const score = this.#score;
    const reached = this.#best;
    const entry = reached - this.#phoneCost;
    let best = -Infinity;
    for (let k = 0; k < score.length; k++) {
      const before = score[k]!;
      const value = (before > entry ? before : entry) + emission[k]!;
      score[k] = value;
      if (value > best) best = value;
    }
    this.#best = best;
    return best - reached;
  }
}
