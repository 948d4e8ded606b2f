import { FairQueue, type FairQueueOptions, type Task } from './fair-queue.ts';

/**
 * Two fair queues: what can wait is done when nothing else is to be done, and otherwise has a
 * single turn behind the others each time, so that it goes on. A speaker is in one of them at a
 * time, so that what it wants is done in the order of asking.
 */
export class LaneQueue {
  readonly #now: () => number;
  readonly #live: FairQueue;
  readonly #patient: FairQueue;

  constructor(options: FairQueueOptions) {
    this.#now = options.now;
    this.#live = new FairQueue(options);
    this.#patient = new FairQueue(options);
  }

  get isEmpty(): boolean {
    return this.#live.isEmpty && this.#patient.isEmpty;
  }

  add(name: string | number, task: Task, canWait: boolean): void {
    if (canWait) this.defer(name);
    (canWait || this.#patient.has(name) ? this.#patient : this.#live).add(name, task);
  }

  /** What this speaker wants can wait. */
  defer(name: string | number): void {
    for (const task of this.#live.take(name)) this.#patient.add(name, task);
  }

  /** Gives turns until nothing is left to do or `forMs` have passed, and one more at most. */
  run(forMs: number): void {
    const endMs = this.#now() + forMs;
    this.#live.run(forMs);
    this.#patient.run(this.#live.isEmpty ? Math.max(0, endMs - this.#now()) : 0);
  }
}
