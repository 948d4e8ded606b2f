/**
 * The newest steps that a stream has run, [steps, width]: what its state is found from again where
 * the device that held it is gone.
 */
export class TakenSteps {
  readonly #width: number;
  readonly #capacity: number;
  readonly #rows: Float32Array;
  #taken = 0;

  /** @param capacity steps that are kept */
  constructor(width: number, capacity: number) {
    this.#width = width;
    this.#capacity = capacity;
    this.#rows = new Float32Array(capacity * width);
  }

  /** Steps that are held. */
  get length(): number {
    return Math.min(this.#taken, this.#capacity);
  }

  /** Takes `count` rows of `from`, the first at element `at`; the oldest make room. */
  push(from: Float32Array, at: number, count: number): void {
    for (let step = 0; step < count; step++) {
      const row = from.subarray(at + step * this.#width, at + (step + 1) * this.#width);
      this.#rows.set(row, (this.#taken % this.#capacity) * this.#width);
      this.#taken++;
    }
  }

  /** Copies `count` rows, counted from the oldest that is held, to the beginning of `out`. */
  copy(first: number, count: number, out: Float32Array): void {
    const oldest = this.#taken - this.length;
    for (let step = 0; step < count; step++) {
      const at = ((oldest + first + step) % this.#capacity) * this.#width;
      out.set(this.#rows.subarray(at, at + this.#width), step * this.#width);
    }
  }
}
