/** Something that is done in steps of a fraction of a millisecond. */
export type Task = {
  /** Does one step; true when there is more to do. */
  step(): boolean;
};

export type FairQueueOptions = {
  /** A turn ends after this long, or when the speaker has nothing left to do. */
  turnMs: number;
  /** Monotonic, ms. */
  now(): number;
};

/**
 * What several speakers want done, each in the order of asking. They have turns one after the
 * other, so that one speaker's backlog makes nobody else wait for longer than a turn.
 */
export class FairQueue {
  readonly #options: FairQueueOptions;
  readonly #bySpeaker = new Map<string | number, Speaker>();
  /** Speakers with something to do, in the order of their next turns. */
  #order: Speaker[] = [];

  constructor(options: FairQueueOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#order.length === 0;
  }

  add(name: string | number, task: Task): void {
    let speaker = this.#bySpeaker.get(name);
    if (!speaker) {
      speaker = { name, tasks: [], next: 0 };
      this.#bySpeaker.set(name, speaker);
      this.#order.push(speaker);
    }
    speaker.tasks.push(task);
  }

  /** Whether this speaker wants something. */
  has(name: string | number): boolean {
    return this.#bySpeaker.has(name);
  }

  /** What this speaker still wants, in the order of asking; it has no more turns for that. */
  take(name: string | number): readonly Task[] {
    const speaker = this.#bySpeaker.get(name);
    if (!speaker) return [];
    this.#bySpeaker.delete(name);
    this.#order = this.#order.filter((other) => other !== speaker);
    return speaker.tasks.slice(speaker.next);
  }

  /**
   * Gives turns until nothing is left to do or `forMs` have passed; somebody always has a turn.
   */
  run(forMs: number): void {
    const { now } = this.#options;
    const endMs = now() + forMs;
    let at = 0;
    const left: Speaker[] = [];
    do {
      // Those that were served go to the end, behind those that wait.
      if (at === this.#order.length) {
        this.#order = left.splice(0);
        at = 0;
      }
      const speaker = this.#order[at++];
      if (!speaker) break;
      if (this.#hasMore(speaker)) left.push(speaker);
      else this.#bySpeaker.delete(speaker.name);
    } while (now() < endMs);
    this.#order = [...this.#order.slice(at), ...left];
  }

  /** A turn; whether the speaker has something left to do. */
  #hasMore(speaker: Speaker): boolean {
    const { now, turnMs } = this.#options;
    const endMs = now() + turnMs;
    const { tasks } = speaker;
    while (speaker.next < tasks.length) {
      if (!tasks[speaker.next]!.step()) speaker.next++;
      if (now() >= endMs) break;
    }
    if (speaker.next === tasks.length) return false;
    // What is done is forgotten now and then, not by moving the rest each time.
    if (speaker.next > 64) {
      tasks.splice(0, speaker.next);
      speaker.next = 0;
    }
    return true;
  }
}

type Speaker = { name: string | number; tasks: Task[]; next: number };
