/** Monotonic time in ms. */
export type Clock = () => number;

export type Timers = {
  /** Calls back once `dueMs` on the clock is reached; the returned function cancels. */
  at(dueMs: number, callback: () => void): () => void;
};

/** One timer for every learner: due times on the `slotMs` grid are met to the tick, others up to a slot late. */
export const slotMs = 5;

/** The first time of the grid that is not before `ms`. */
export function onGrid(ms: number): number {
  return Math.ceil(ms / slotMs) * slotMs;
}

type Entry = { slot: number; callback: (() => void) | undefined };

/**
 * A hashed timing wheel (Varghese and Lauck, 1987). Pure: time passes only by `advance`, which calls back everything due
 * in order of slots, also what the callbacks themselves add in the past.
 */
export class Wheel implements Timers {
  readonly #buckets: Entry[][] = Array.from({ length: bucketCount }, () => []);
  /** The next slot that has not been called back. */
  #slot: number;

  constructor(nowMs: number) {
    this.#slot = Math.ceil(nowMs / slotMs);
  }

  at(dueMs: number, callback: () => void): () => void {
    const slot = Math.max(this.#slot, Math.ceil(dueMs / slotMs - 1e-9));
    const entry: Entry = { slot, callback };
    this.#buckets[slot % bucketCount]!.push(entry);
    return () => {
      entry.callback = undefined;
    };
  }

  advance(nowMs: number): void {
    const last = Math.floor(nowMs / slotMs + 1e-9);
    for (; this.#slot <= last; this.#slot++) this.#turn(this.#slot);
  }

  /** Entries of this slot run, including those that callbacks add to it; later rounds of the bucket stay. */
  #turn(slot: number): void {
    const bucket = this.#buckets[slot % bucketCount]!;
    let kept = 0;
    for (let i = 0; i < bucket.length; i++) {
      const entry = bucket[i]!;
      if (entry.slot === slot) entry.callback?.();
      else if (entry.callback) bucket[kept++] = entry;
    }
    bucket.length = kept;
  }
}

/** Turns a wheel by the real clock until stopped. */
export function startWheel(clock: Clock): { timers: Timers; stop(): void } {
  const wheel = new Wheel(clock());
  let timer: NodeJS.Timeout;
  const turn = () => {
    wheel.advance(clock());
    const now = clock();
    timer = setTimeout(turn, Math.max(1, (Math.floor(now / slotMs) + 1) * slotMs - now));
  };
  turn();
  return { timers: wheel, stop: () => clearTimeout(timer) };
}

/** 5.12 s a round: frames and pings stay within one, longer waits go round. */
const bucketCount = 1024;
