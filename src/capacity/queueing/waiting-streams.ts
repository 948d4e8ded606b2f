import type { Random } from '../../stats/random.ts';

/**
 * Streams that wait, by when they began to; first in, first out, but anyone may give up. Amortised
 * O(1) each.
 */
export class WaitingStreams {
  #since = new Float64Array(64);
  #head = 0;
  #tail = 0;
  #live = 0;

  size(): number {
    return this.#live;
  }

  join(atMs: number): void {
    if (this.#tail === this.#since.length) this.#makeRoom();
    this.#since[this.#tail++] = atMs;
    this.#live++;
  }

  /** When the one at the head began to wait; Infinity when nobody waits. */
  headMs(): number {
    return this.#live === 0 ? Number.POSITIVE_INFINITY : this.#since[this.#head]!;
  }

  /** Serves the head; when it began to wait. */
  serve(): number {
    const atMs = this.#since[this.#head]!;
    this.#leave(this.#head);
    return atMs;
  }

  /** Someone at random stops waiting. */
  giveUp(random: Random): void {
    for (;;) {
      const place = this.#head + random.index(this.#tail - this.#head);
      // A place that someone left before is drawn again: at least half of them are taken.
      if (Number.isNaN(this.#since[place]!)) continue;
      this.#leave(place);
      return;
    }
  }

  #leave(place: number): void {
    this.#since[place] = Number.NaN;
    this.#live--;
    while (this.#head < this.#tail && Number.isNaN(this.#since[this.#head]!)) this.#head++;
    if (this.#tail - this.#head > 2 * this.#live + 64) this.#close();
  }

  #makeRoom(): void {
    this.#close();
    if (this.#tail < this.#since.length / 2) return;
    const wider = new Float64Array(this.#since.length * 2);
    wider.set(this.#since);
    this.#since = wider;
  }

  /** Closes the gaps. */
  #close(): void {
    let to = 0;
    for (let from = this.#head; from < this.#tail; from++)
      if (!Number.isNaN(this.#since[from]!)) this.#since[to++] = this.#since[from]!;
    this.#head = 0;
    this.#tail = to;
  }
}
