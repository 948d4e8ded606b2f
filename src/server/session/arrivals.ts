/** When a session's newest frames came, so that a result can tell what its own sound waited for. */
export class Arrivals {
  /**
   * The frames that count, each as its fields in order: from `#first` to `#end` in a memory that
   * is moved on when it is full, for a frame is added far more often than one is looked for.
   */
  #queue = new Float64Array(0);
  #first = 0;
  #end = 0;
  #lastEndMs = 0;
  #pacedMs = Number.NEGATIVE_INFINITY;

  add({ endMs, arrivedMs, releasedMs }: Omit<Arrival, 'pacedMs' | 'lengthMs'>): void {
    this.#pacedMs = Math.max(arrivedMs, this.#pacedMs + (endMs - this.#lastEndMs) * fastestPace);
    const lengthMs = Math.min(longestFrameMs, endMs - this.#lastEndMs);
    this.#lastEndMs = endMs;
    if (this.#end === this.#queue.length) this.#makeRoom();
    const queue = this.#queue;
    const at = this.#end;
    queue[at] = endMs;
    queue[at + 1] = lengthMs;
    queue[at + 2] = arrivedMs;
    queue[at + 3] = releasedMs;
    queue[at + 4] = this.#pacedMs;
    this.#end = at + fields;
    if (this.#end - this.#first > capacity * fields) this.#first += fields;
  }

  /**
   * The frame that brought the sound at `atMs`; earlier ones are forgotten. Undefined when nothing
   * was added.
   */
  of(atMs: number): Arrival | undefined {
    let at = this.#first;
    while (at < this.#end && this.#queue[at]! < atMs - roundingMs) at += fields;
    if (at === this.#end) return at === this.#first ? undefined : this.#at(at - fields);
    this.#first = at;
    return this.#at(at);
  }

  #at(at: number): Arrival {
    const queue = this.#queue;
    return {
      endMs: queue[at]!,
      lengthMs: queue[at + 1]!,
      arrivedMs: queue[at + 2]!,
      releasedMs: queue[at + 3]!,
      pacedMs: queue[at + 4]!,
    };
  }

  /**
   * Forgets the frames that do not count any more, and takes twice the memory where that is little.
   */
  #makeRoom(): void {
    const counting = this.#queue.subarray(this.#first, this.#end);
    const isCrowded = 2 * counting.length >= this.#queue.length;
    const queue = isCrowded ? new Float64Array(Math.max(leastFrames * fields, 2 * counting.length)) : this.#queue;
    queue.set(counting);
    this.#queue = queue;
    this.#first = 0;
    this.#end = counting.length;
  }
}

type Arrival = {
  /** The session's clock at the frame's end. */
  endMs: number;
  /** From the end of the frame before it, which a gap may have come between. */
  lengthMs: number;
  /** The server's clock when the frame was read from the socket. */
  arrivedMs: number;
  /** The server's clock when the jitter buffer released the frame. */
  releasedMs: number;
  /**
   * When it would have come had the client not sent it faster than it was spoken: what a client
   * sends at once after an outage waits for its own sake, and not because the server is late.
   */
  pacedMs: number;
};

/** As long as the protocol lets a frame be. */
const longestFrameMs = 100;
/** An `Arrival` has so many numbers. */
const fields = 5;
const leastFrames = 32;
/** More than any backlog that the server accepts, in 10 ms frames. */
const capacity = 6000;
/**
 * A client's clock may be this much faster than the server's without getting ever further ahead.
 */
const fastestPace = 0.9;
/** The model's clock counts whole frames. */
const roundingMs = 1;
