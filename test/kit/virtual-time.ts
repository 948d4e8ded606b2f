import type { Time } from '../../src/backends/time.ts';
import { Wheel } from '../../src/clock/wheel.ts';

/** A clock that stands until it is told to go, and what waits on it. */
export type VirtualTime = Time & {
  /** Goes on by so many ms, one at a time; what falls due runs in order. */
  pass(ms: number): void;
};

export function virtualTime(startMs = 0): VirtualTime {
  let nowMs = startMs;
  const wheel = new Wheel(startMs);
  return {
    now: () => nowMs,
    at: (dueMs, callback) => wheel.at(dueMs, callback),
    pass(ms) {
      for (const endMs = nowMs + ms; nowMs < endMs; ) {
        nowMs = Math.min(endMs, nowMs + 1);
        wheel.advance(nowMs);
      }
    },
  };
}
