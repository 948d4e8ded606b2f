/** When a session's newest frames came, so that a result can tell what its own sound waited for. */
export class Arrivals {
  #queue: Arrival[] = [];

  add(arrival: Arrival): void {
    this.#queue.push(arrival);
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
};

/** More than any backlog that the server accepts, in 10 ms frames. */
const capacity = 6000;
/** The model's clock counts whole frames. */
const roundingMs = 1;
