/**
 * The few shapes that the model is run at, so that every one is warm before the first learner
 * comes: an accelerator may search for its best kernels at each new shape, for hundreds of
 * milliseconds.
 */
export type RunShapes = {
  /** Every shape that may run. */
  all: readonly { batch: number; steps: number }[];
  /** The most streams, and the most rows (batch x steps), of one run. */
  maxBatch: number;
  maxRows: number;
};

/** Streams that a run may be padded up to. */
export const batchSizes = [1, 2, 4, 8, 16, 32, 64];
const stepSizes = [1, 2, 3, 4, 5, 10, 25, 50];
/** The most steps of a stream in one run. */
export const mostSteps = 50;

/**
 * The shapes for a provider. A run holds the engine no longer than a full batch of 100 ms does. On
 * a CPU, batches beyond 16 cost a stream no less (bench/acoustic.ts, us a stream-step at 5 steps:
 * 12.4 at 16, 12.5 at 32, in floats 28 and 28 to 52), and hold up whoever waits for the core.
 */
export function runShapes(provider: string): RunShapes {
  return shapesUpTo(provider === 'cpu' || provider === 'wasm' ? 16 : 64);
}

/** The shapes of batches of up to `maxBatch`. */
export function shapesUpTo(maxBatch: number): RunShapes {
  const maxRows = maxBatch * 5;
  const all = batchSizes
    .filter((batch) => batch <= maxBatch)
    .flatMap((batch) => stepSizes.filter((steps) => batch * steps <= maxRows).map((steps) => ({ batch, steps })));
  return { all, maxBatch, maxRows };
}

/** The largest step size of at most `pending` (at least 1) that a stream may run at once. */
export function stepsWithin(pending: number, { maxRows }: Pick<RunShapes, 'maxRows'>): number {
  return stepSizes.findLast((steps) => steps <= Math.min(pending, maxRows)) ?? 1;
}

/**
 * How many of `ready` streams to run `steps` now and in which bucket: padded up when three quarters
 * full or more, else a full smaller bucket, the rest coming next.
 */
export function fitBatch(ready: number, steps: number, shapes: RunShapes): { streams: number; bucket: number } {
  const buckets = shapes.all.filter((shape) => shape.steps === steps).map((shape) => shape.batch);
  const streams = Math.min(ready, buckets.at(-1)!);
  const above = buckets.find((bucket) => bucket >= streams)!;
  if (streams >= 0.75 * above) return { streams, bucket: above };
  const below = buckets.findLast((bucket) => bucket <= streams)!;
  return { streams: below, bucket: below };
}
