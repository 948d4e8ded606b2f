/**
 * Feature steps of one stream that wait for a run, oldest first: rows of `width` values with their
 * times.
 */
export class StepQueue {
  readonly width: number;
  #rows: Float32Array;
  #arrivals: Float64Array;
  #deadlines: Float64Array;
  #head = 0;
  #tail = 0;
  #lastDeadlineMs = Number.NEGATIVE_INFINITY;

  constructor(width: number) {
    this.width = width;
    this.#rows = new Float32Array(16 * width);
    this.#arrivals = new Float64Array(16);
    this.#deadlines = new Float64Array(16);
  }

  get length(): number {
    return this.#tail - this.#head;
  }

  /** When the oldest step came, ms; the queue is not empty. */
  get oldestArrivalMs(): number {
    return this.#arrivals[this.#head]!;
  }

  /**
   * The oldest step's turn: steps that came in a burst fall due one `strideMs` after the other, as
   * live ones would.
   */
  get oldestDeadlineMs(): number {
    return this.#deadlines[this.#head]!;
  }

  arrivalMs(index: number): number {
    return this.#arrivals[this.#head + index]!;
  }

  /** Adds a step whose row is to be written before it is taken. */
  add(arrivedMs: number, strideMs: number): void {
    if (this.#tail === this.#arrivals.length) this.#makeRoom();
    this.#lastDeadlineMs = Math.max(arrivedMs, this.#lastDeadlineMs + strideMs);
    this.#arrivals[this.#tail] = arrivedMs;
    this.#deadlines[this.#tail] = this.#lastDeadlineMs;
    this.#tail++;
  }

  /** Where in `buffer` the row of step `index` of those that wait begins. */
  rowAt(index: number): number {
    return (this.#head + index) * this.width;
  }

  /** The rows' memory; a later `add` may replace it. */
  get buffer(): Float32Array {
    return this.#rows;
  }

  /** Copies the oldest `count` rows to `out` at `at` and forgets them. */
  take(count: number, out: Float32Array, at: number): void {
    out.set(this.#rows.subarray(this.#head * this.width, (this.#head + count) * this.width), at);
    this.#head += count;
    if (this.#head === this.#tail) this.#head = this.#tail = 0;
  }

  #makeRoom(): void {
    const length = this.length;
    const capacity = length * 2 > this.#arrivals.length ? this.#arrivals.length * 2 : this.#arrivals.length;
    const rows = capacity === this.#arrivals.length ? this.#rows : new Float32Array(capacity * this.width);
    const arrivals = capacity === this.#arrivals.length ? this.#arrivals : new Float64Array(capacity);
    const deadlines = capacity === this.#arrivals.length ? this.#deadlines : new Float64Array(capacity);
    rows.set(this.#rows.subarray(this.#head * this.width, this.#tail * this.width));
    arrivals.set(this.#arrivals.subarray(this.#head, this.#tail));
    deadlines.set(this.#deadlines.subarray(this.#head, this.#tail));
    [this.#rows, this.#arrivals, this.#deadlines] = [rows, arrivals, deadlines];
    this.#head = 0;
    this.#tail = length;
  }
}
