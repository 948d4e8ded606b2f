import type { Random } from '../../stats/random.ts';

/** Streams that wait, by when they began to; first in, first out, but anyone may give up. Amortised O(1) each. */
export type WaitingLine = {
  size(): number;
  join(atMs: number): void;
  /** When the one at the head began to wait; Infinity when nobody waits. */
  headMs(): number;
  /** Serves the head; when it began to wait. */
  serve(): number;
  /** Someone at random stops waiting. */
  giveUp(random: Random): void;
};

export function createWaitingLine(): WaitingLine {
  let since = new Float64Array(64);
  let head = 0;
  let tail = 0;
  let live = 0;
  return {
    size: () => live,
    join(atMs) {
      if (tail === since.length) makeRoom();
      since[tail++] = atMs;
      live++;
    },
    headMs: () => (live === 0 ? Number.POSITIVE_INFINITY : since[head]!),
    serve() {
      const atMs = since[head]!;
      leave(head);
      return atMs;
    },
    giveUp(random) {
      for (;;) {
        const place = head + random.index(tail - head);
        // A place that someone left before is drawn again: at least half of them are taken.
        if (!Number.isNaN(since[place]!)) return leave(place);
      }
    },
  };

  function leave(place: number): void {
    since[place] = Number.NaN;
    live--;
    while (head < tail && Number.isNaN(since[head]!)) head++;
    if (tail - head > 2 * live + 64) close();
  }

  function makeRoom(): void {
    close();
    if (tail < since.length / 2) return;
    const wider = new Float64Array(since.length * 2);
    wider.set(since);
    since = wider;
  }

  /** Closes the gaps. */
  function close(): void {
    let to = 0;
    for (let from = head; from < tail; from++) if (!Number.isNaN(since[from]!)) since[to++] = since[from]!;
    head = 0;
    tail = to;
  }
}
