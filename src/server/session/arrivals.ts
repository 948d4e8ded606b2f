/** When a session's newest frames came, so that a result can tell what its own sound waited for. */
export type Arrivals = {
  add(arrival: Arrival): void;
  /** The frame that brought the sound at `atMs`; earlier ones are forgotten. Undefined when nothing was added. */
  of(atMs: number): Arrival | undefined;
};

type Arrival = {
  /** The session's clock at the frame's end. */
  endMs: number;
  /** The server's clock: read from the socket, and let go by the jitter buffer. */
  arrivedMs: number;
  releasedMs: number;
};

export function createArrivals(): Arrivals {
  let queue: Arrival[] = [];
  return {
    add(arrival) {
      queue.push(arrival);
      if (queue.length > capacity) queue.shift();
    },
    of(atMs) {
      const index = queue.findIndex((arrival) => arrival.endMs >= atMs - roundingMs);
      if (index > 0) queue = queue.slice(index);
      return index < 0 ? queue.at(-1) : queue[0];
    },
  };
}

/** More than any backlog that the server accepts, in 10 ms frames. */
const capacity = 6000;
/** The model's clock counts whole frames. */
const roundingMs = 1;
