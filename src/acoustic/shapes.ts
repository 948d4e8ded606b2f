/**
 * The few shapes that the model is run at, so that every one is warm before the first learner comes: a provider may search for its
 * best kernels at each new shape, for hundreds of milliseconds.
 */
export const batchBuckets = [1, 2, 4, 8, 16, 32, 64] as const;
export const stepSizes = [1, 2, 5, 10, 25, 50] as const;

/** Rows (batch x steps) of one run: no run holds the engine longer than 64 streams of 100 ms do. */
const maxRows = 320;

/** Every shape that may run. */
export function runShapes(): { batch: number; steps: number }[] {
  return batchBuckets.flatMap((batch) =>
    stepSizes.filter((steps) => batch * steps <= maxRows).map((steps) => ({ batch, steps })),
  );
}

/** The most streams that may run `steps` at once. */
export function maxBatch(steps: number): number {
  return batchBuckets.findLast((batch) => batch * steps <= maxRows) ?? 1;
}

/** The largest step size of at most `pending` (at least 1). */
export function stepsWithin(pending: number): number {
  return stepSizes.findLast((steps) => steps <= pending) ?? 1;
}

/**
 * How many of `ready` streams to run now and in which bucket: padded up when three quarters full or more, else a full smaller
 * bucket, the rest coming next.
 */
export function fitBatch(ready: number, steps: number): { streams: number; bucket: number } {
  const streams = Math.min(ready, maxBatch(steps));
  const above = batchBuckets.find((bucket) => bucket >= streams) ?? streams;
  if (streams >= 0.75 * above) return { streams, bucket: above };
  const below = batchBuckets.findLast((bucket) => bucket <= streams) ?? 1;
  return { streams: below, bucket: below };
}
