/**
 * Milliseconds on the machine's monotonic clock, the same in every thread. `performance.now` counts from each thread's start, and
 * their `timeOrigin`s differ by whatever the wall clock was set between them.
 */
export function sharedNowMs(): number {
  return threadStartMs + performance.now();
}

/** This thread's `performance.now` at a moment of the shared clock. */
export function toThreadMs(sharedMs: number): number {
  return sharedMs - threadStartMs;
}

const threadStartMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();
