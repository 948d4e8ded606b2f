/** A thread as far as its silence is concerned. */
export type WatchedThread = {
  /** How long it has said nothing although it should have, ms. */
  silentMs(nowMs: number): number;
  kill(why: string): void;
};

/**
 * Ends threads that do not come back. A pause of the whole process (a laptop that slept, a stopped
 * container) is no silence: only looks at which the thread is silent count, each for no more than
 * the time between two of them.
 */
export class HungThreads {
  readonly #threads: readonly WatchedThread[];
  readonly #hungMs: number;
  readonly #silence = new WeakMap<WatchedThread, number>();
  #lookedMs: number | undefined;

  /** @param threads looked up at each look: their places may be taken by others. */
  constructor(threads: readonly WatchedThread[], hungMs: number) {
    this.#threads = threads;
    this.#hungMs = hungMs;
  }

  look(nowMs: number): void {
    const sinceMs = Math.min(nowMs - (this.#lookedMs ?? nowMs), longestLookMs);
    this.#lookedMs = nowMs;
    for (const thread of this.#threads) {
      const before = this.#silence.get(thread) ?? 0;
      const silentMs = thread.silentMs(nowMs) > sinceMs ? before + sinceMs : 0;
      this.#silence.set(thread, silentMs);
      if (silentMs < this.#hungMs) continue;
      this.#silence.delete(thread);
      thread.kill(`it said nothing for ${this.#hungMs} ms`);
    }
  }
}

const longestLookMs = 2000;
