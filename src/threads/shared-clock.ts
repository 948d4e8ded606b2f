/**
 * Milliseconds on the machine's monotonic clock, the same in every thread. `performance.now` counts
 * from each thread's start, and their `timeOrigin`s differ by whatever the wall clock was set
 * between them.
 */
export function sharedNowMs(): number {
  return threadStartMs + performance.now();
}

/** This thread's `performance.now` at a moment of the shared clock. */
export function toThreadMs(sharedMs: number): number {
  return sharedMs - threadStartMs;
}

/**
 * What to add to `ownMs` to have `monotonicMs`. The two cannot be read at once, and a thread that
 * is set aside between the readings would be milliseconds off for as long as it lives: the own
 * clock is read between two readings of the other, and the closest pair of many counts. Wrong by at
 * most half the distance of that pair.
 */
export function clockOffsetMs(monotonicMs: () => number, ownMs: () => number): number {
  let closest = Number.POSITIVE_INFINITY;
  let offset = 0;
  for (let attempt = 0; attempt < 100 && closest > closeEnoughMs; attempt++) {
    const before = monotonicMs();
    const own = ownMs();
    const after = monotonicMs();
    if (after - before >= closest) continue;
    closest = after - before;
    offset = (before + after) / 2 - own;
  }
  return offset;
}

const closeEnoughMs = 0.002;
const threadStartMs = clockOffsetMs(
  () => Number(process.hrtime.bigint()) / 1e6,
  () => performance.now(),
);
