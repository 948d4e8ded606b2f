/** Something that wants to be called at a time, which may come nearer or go farther. */
export type Due = {
  /** us on the queue's clock; Infinity: not at all. */
  nextUs(): number;
  run(nowUs: number): void;
};

/** Starts one timer, and cancels it by the returned function. */
export type StartTimer = (afterMs: number, callback: () => void) => () => void;

type Entry = { atUs: number; due: Due };

/**
 * Any number of things on one timer: a binary heap in which an entry that was overtaken by an
 * earlier one is skipped.
 */
export class DueQueue {
  readonly #heap: Entry[] = [];
  readonly #queuedUs = new Map<Due, number>();
  #armedUs = Number.POSITIVE_INFINITY;
  #cancel: () => void = () => {};
  readonly #nowUs: () => number;
  readonly #startTimer: StartTimer;

  constructor(nowUs: () => number, startTimer: StartTimer = nodeTimer) {
    this.#nowUs = nowUs;
    this.#startTimer = startTimer;
  }

  /** To be called whenever `due.nextUs()` may have come nearer. */
  watch(due: Due): void {
    const atUs = due.nextUs();
    if (atUs >= (this.#queuedUs.get(due) ?? Number.POSITIVE_INFINITY)) return;
    this.#queuedUs.set(due, atUs);
    this.#push({ atUs, due });
    this.#arm();
  }

  forget(due: Due): void {
    this.#queuedUs.delete(due);
  }

  stop(): void {
    this.#cancel();
    this.#heap.length = 0;
    this.#queuedUs.clear();
  }

  #fire(): void {
    this.#armedUs = Number.POSITIVE_INFINITY;
    const nowUs = this.#nowUs();
    while (this.#heap.length > 0 && this.#heap[0]!.atUs <= nowUs) {
      const { atUs, due } = this.#pop();
      if (this.#queuedUs.get(due) !== atUs) continue;
      this.#queuedUs.delete(due);
      due.run(nowUs);
      this.watch(due);
    }
    this.#arm();
  }

  #arm(): void {
    const first = this.#heap[0];
    if (!first || first.atUs >= this.#armedUs) return;
    this.#cancel();
    this.#armedUs = first.atUs;
    this.#cancel = this.#startTimer(Math.max(0, Math.ceil((first.atUs - this.#nowUs()) / 1000)), () => this.#fire());
  }

  #push(entry: Entry): void {
    let index = this.#heap.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#heap[parent]!.atUs <= entry.atUs) break;
      this.#heap[index] = this.#heap[parent]!;
      index = parent;
    }
    this.#heap[index] = entry;
  }

  #pop(): Entry {
    const first = this.#heap[0]!;
    const last = this.#heap.pop()!;
    if (this.#heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child + 1 < this.#heap.length && this.#heap[child + 1]!.atUs < this.#heap[child]!.atUs) child++;
      if (child >= this.#heap.length || this.#heap[child]!.atUs >= last.atUs) break;
      this.#heap[index] = this.#heap[child]!;
      index = child;
    }
    this.#heap[index] = last;
    return first;
  }
}

function nodeTimer(afterMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, afterMs);
  return () => clearTimeout(timer);
}
