/** Monotonic time in ms. */
export type Clock = () => number;

/**
 * Something that waits in a wheel, made once and used again and again: a frame each 20 ms needs no
 * new object.
 */
export type WheelTask = {
  /** Where it waits; kept by the wheel. `idle` when it waits nowhere. */
  slot: number;
  run(): void;
};

/** The slot of a task that waits nowhere. */
export const idle = -1;

export type Timers = {
  /** Calls back once `dueMs` on the clock is reached; the returned function cancels. */
  at(dueMs: number, callback: () => void): () => void;
  /** Runs the task once `dueMs` is reached, and not when it was to run before. */
  schedule(task: WheelTask, dueMs: number): void;
};

/**
 * The first whole ms that is not before `ms`: what is due on this grid is due when a slot of the
 * wheel is.
 */
export function onGrid(ms: number): number {
  return Math.ceil(ms);
}

/**
 * A hashed timing wheel (Varghese and Lauck, 1987) with a slot a ms: frames of 700 learners on
 * slots of 5 ms would go out 175 at a time, and the last wait 2 ms for the first. Pure: time passes
 * only by `advance`, which runs everything due in order of slots, also what the tasks themselves
 * add in the past.
 */
export class Wheel implements Timers {
  readonly #buckets: WheelTask[][] = Array.from({ length: bucketCount }, () => []);
  /** The next slot that has not been run. */
  #slot: number;
  #turning = false;

  constructor(nowMs: number) {
    this.#slot = Math.ceil(nowMs);
  }

  /** While tasks run, the time of their slot, which they were due at; else undefined. */
  get turningMs(): number | undefined {
    return this.#turning ? this.#slot : undefined;
  }

  at(dueMs: number, callback: () => void): () => void {
    const task = { slot: idle, run: callback };
    this.schedule(task, dueMs);
    return () => {
      task.slot = idle;
    };
  }

  schedule(task: WheelTask, dueMs: number): void {
    const slot = Math.max(this.#slot, Math.ceil(dueMs - 1e-6));
    if (slot === task.slot) return;
    // Where it waited before it is found with another slot, and let go.
    task.slot = slot;
    this.#buckets[slot % bucketCount]!.push(task);
  }

  /** To be called at least each ms; what a task calls does nothing. */
  advance(nowMs: number): void {
    const last = Math.floor(nowMs + 1e-6);
    if (this.#turning || last < this.#slot) return;
    this.#turning = true;
    for (; this.#slot <= last; this.#slot++) this.#turn(this.#slot);
    this.#turning = false;
  }

  /**
   * Tasks of this slot run, including those that tasks add to it; later rounds of the bucket stay.
   */
  #turn(slot: number): void {
    const bucket = this.#buckets[slot % bucketCount]!;
    let kept = 0;
    for (let i = 0; i < bucket.length; i++) {
      const task = bucket[i]!;
      if (task.slot === slot) {
        task.slot = idle;
        task.run();
      } else if (task.slot > slot && task.slot % bucketCount === slot % bucketCount) {
        bucket[kept++] = task;
      }
    }
    bucket.length = kept;
  }
}

/** The one wheel of a shard, turned by one timer. */
export type TurningWheel = {
  timers: Timers;
  /** The time that whatever runs now was due at; the clock's when nothing of the wheel runs. */
  dueMs(): number;
  /**
   * Runs what is due by now. For those who hold the thread between two turns: a hundred sockets
   * with something to read would make every frame wait that is due meanwhile.
   */
  catchUp(nowMs: number): void;
  stop(): void;
};

/** Turns a wheel by the real clock until stopped. */
export function startWheel(clock: Clock): TurningWheel {
  const wheel = new Wheel(clock());
  const timer = setInterval(() => wheel.advance(clock()), 1);
  return {
    timers: wheel,
    dueMs: () => wheel.turningMs ?? clock(),
    catchUp: (nowMs) => wheel.advance(nowMs),
    stop: () => clearInterval(timer),
  };
}

/** 4 s a round: frames and pings stay within one, longer waits go round. */
const bucketCount = 4096;
