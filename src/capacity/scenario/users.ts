/**
 * A lesson that everybody joins: users times `factor`, reached and left over `rampMs`, held for
 * `durationMs`.
 */
export type Spike = { atMs: number; factor: number; rampMs: number; durationMs: number };

/** Users at minutes from the start, in rising order; straight lines between them, level outside. */
export type UsersByMinute = readonly { minute: number; users: number }[];

/** Users at a time. Pure: the same every day. */
export type UserCurve = (atMs: number) => number;

export function userCurve(base: number | UsersByMinute, spike?: Spike): UserCurve {
  const level = typeof base === 'number' ? () => base : interpolate(base);
  return spike ? (atMs) => level(atMs) * spikeFactor(spike, atMs) : level;
}

/** The factor at a time: 1 before, a ramp up, level, a ramp down, 1. */
export function spikeFactor({ atMs, factor, rampMs, durationMs }: Spike, nowMs: number): number {
  const into = nowMs - atMs;
  if (into < 0 || into >= 2 * rampMs + durationMs) return 1;
  if (into < rampMs) return 1 + (factor - 1) * (into / rampMs);
  if (into <= rampMs + durationMs) return factor;
  return 1 + (factor - 1) * (1 - (into - rampMs - durationMs) / rampMs);
}

/** The most users of the curve before any spike. */
export function peakUsers(base: number | UsersByMinute): number {
  return typeof base === 'number' ? base : base.reduce((most, point) => Math.max(most, point.users), 0);
}

function interpolate(points: UsersByMinute): UserCurve {
  const first = points[0]!;
  const last = points.at(-1)!;
  return (atMs) => {
    const minute = atMs / 60_000;
    if (minute <= first.minute) return first.users;
    if (minute >= last.minute) return last.users;
    let low = 0;
    let high = points.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (points[middle]!.minute <= minute) low = middle;
      else high = middle;
    }
    const from = points[low]!;
    const to = points[high]!;
    return from.users + ((to.users - from.users) * (minute - from.minute)) / (to.minute - from.minute);
  };
}
