/**
 * Chooses a uniform sample of at most `size` items of a stream of unknown length: Li's algorithm L
 * (1994), which draws how many items it passes over instead of a number for each. It keeps no
 * items, but says where each chosen one is to be put.
 */
export class Reservoir {
  readonly #size: number;
  readonly #uniform: () => number;
  #seen = 0;
  #kept = 0;
  /** The number (from 1) of the next item that is chosen once the sample is full. */
  #next: number;
  #weight = 1;

  /** `uniform` gives numbers in [0, 1). */
  constructor(size: number, uniform: () => number) {
    this.#size = size;
    this.#uniform = uniform;
    this.#next = size;
    this.#pass();
  }

  /** How many items have come. */
  get seen(): number {
    return this.#seen;
  }

  /** Counts one more item and tells whether it is chosen; `place` must be asked then. */
  wants(): boolean {
    this.#seen += 1;
    return this.#kept < this.#size || this.#seen === this.#next;
  }

  /**
   * Where the chosen item goes, from 0: behind those kept so far, and in place of one of them once
   * there are `size`.
   */
  place(): number {
    if (this.#kept < this.#size) return this.#kept++;
    const place = Math.floor(this.#uniform() * this.#size);
    this.#pass();
    return place;
  }

  #pass(): void {
    this.#weight *= Math.exp(Math.log(1 - this.#uniform()) / this.#size);
    this.#next += Math.floor(Math.log(1 - this.#uniform()) / Math.log(1 - this.#weight)) + 1;
  }
}
