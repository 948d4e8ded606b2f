/** The state of the whole supply at a moment. Streams but for `ready` and `pods`. */
export type TimelinePoint = {
  at_ms: number;
  /** Learners who speak, served or not. */
  wanted: number;
  in_pods: number;
  managed: number;
  /** Learners who speak and get no feedback. */
  waiting: number;
  /** Streams that the ready pods carry. */
  capacity: number;
  ready: number;
  pods: number;
};

/**
 * Keeps at most `most` points of a run, each the worst moment (most waiting, then most wanted) of
 * its stretch.
 */
export class Timeline {
  readonly #most: number;
  readonly #points: TimelinePoint[] = [];
  readonly #stretchMs: number;

  constructor(durationMs: number, most = 240) {
    this.#most = most;
    this.#stretchMs = durationMs / most;
  }

  add(point: TimelinePoint): void {
    const place = Math.min(this.#most - 1, Math.floor(point.at_ms / this.#stretchMs));
    const last = this.#points.at(-1);
    if (last === undefined || place > Math.min(this.#most - 1, Math.floor(last.at_ms / this.#stretchMs)))
      this.#points.push(point);
    else if (worse(point, last)) this.#points[this.#points.length - 1] = point;
  }

  points(): TimelinePoint[] {
    return this.#points;
  }
}

function worse(a: TimelinePoint, b: TimelinePoint): boolean {
  return a.waiting === b.waiting ? a.wanted > b.wanted : a.waiting > b.waiting;
}
