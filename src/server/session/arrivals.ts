/** When a session's newest frames came, so that a result can tell what its own sound waited for. */
export class Arrivals {
  /** The frames that count begin at `#first`; the ones before are given up many at a time. */
  #queue: Arrival[] = [];
  #first = 0;
  #lastEndMs = 0;
  #pacedMs = Number.NEGATIVE_INFINITY;

  add({ endMs, arrivedMs, releasedMs }: Omit<Arrival, 'pacedMs' | 'lengthMs'>): void {
    this.#pacedMs = Math.max(arrivedMs, this.#pacedMs + (endMs - this.#lastEndMs) * fastestPace);
    const lengthMs = Math.min(longestFrameMs, endMs - this.#lastEndMs);
    this.#lastEndMs = endMs;
    this.#queue.push({ endMs, lengthMs, arrivedMs, releasedMs, pacedMs: this.#pacedMs });
    if (this.#queue.length - this.#first > capacity) this.#first += 1;
    if (this.#first < givenUpTogether) return;
    this.#queue = this.#queue.slice(this.#first);
    this.#first = 0;
  }

  /**
   * The frame that brought the sound at `atMs`; earlier ones are forgotten. Undefined when nothing
   * was added.
   */
  of(atMs: number): Arrival | undefined {
    const queue = this.#queue;
    let at = this.#first;
    while (at < queue.length && queue[at]!.endMs < atMs - roundingMs) at++;
    if (at === queue.length) return queue.at(-1);
    this.#first = at;
    return queue[at];
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
const givenUpTogether = 64;
/** More than any backlog that the server accepts, in 10 ms frames. */
const capacity = 6000;
/**
 * A client's clock may be this much faster than the server's without getting ever further ahead.
 */
const fastestPace = 0.9;
/** The model's clock counts whole frames. */
const roundingMs = 1;
