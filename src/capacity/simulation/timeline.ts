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

/** Keeps at most `most` points of a run, each the worst moment (most waiting, then most wanted) of its stretch. */
export function createTimeline(durationMs: number, most = 240) {
  const points: TimelinePoint[] = [];
  const stretchMs = durationMs / most;
  return {
    add(point: TimelinePoint): void {
      const place = Math.min(most - 1, Math.floor(point.at_ms / stretchMs));
      const last = points.at(-1);
      if (last === undefined || place > Math.min(most - 1, Math.floor(last.at_ms / stretchMs))) points.push(point);
      else if (worse(point, last)) points[points.length - 1] = point;
    },
    points: (): TimelinePoint[] => points,
  };
}

function worse(a: TimelinePoint, b: TimelinePoint): boolean {
  return a.waiting === b.waiting ? a.wanted > b.wanted : a.waiting > b.waiting;
}
