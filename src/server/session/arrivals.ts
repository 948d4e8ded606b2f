/** When a session's newest frames came, so that a result can tell what its own sound waited for. */
export class Arrivals {
  #queue: Arrival[] = [];
  #lastEndMs = 0;
  #pacedMs = Number.NEGATIVE_INFINITY;

  add(arrival: Omit<Arrival, 'pacedMs'>): void {
    const { endMs, arrivedMs } = arrival;
    this.#pacedMs = Math.max(arrivedMs, this.#pacedMs + (endMs - this.#lastEndMs) * fastestPace);
    this.#lastEndMs = endMs;
    this.#queue.push({ ...arrival, pacedMs: this.#pacedMs });
    if (this.#queue.length > capacity) this.#queue.shift();
  }

  /**
   * The frame that brought the sound at `atMs`; earlier ones are forgotten. Undefined when nothing
   * was added.
   */
  of(atMs: number): Arrival | undefined {
    const index = this.#queue.findIndex((arrival) => arrival.endMs >= atMs - roundingMs);
    if (index > 0) this.#queue = this.#queue.slice(index);
    return index < 0 ? this.#queue.at(-1) : this.#queue[0];
  }
}

type Arrival = {
  /** The session's clock at the frame's end. */
  endMs: number;
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

/** More than any backlog that the server accepts, in 10 ms frames. */
const capacity = 6000;
/**
 * A client's clock may be this much faster than the server's without getting ever further ahead.
 */
const fastestPace = 0.9;
/** The model's clock counts whole frames. */
const roundingMs = 1;
