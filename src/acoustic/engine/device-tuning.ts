import { batchSizes } from '../onnx/shapes.ts';

/** How long a run of `batch` streams by `steps` takes, ms, its copies among it. */
export type StepTime = { batch: number; steps: number; ms: number };

/** How a device is driven: the most streams of a run, and how many steps of each are gathered. */
type DeviceTuning = { maxBatch: number; groupSteps: number };

/** The tuning of one device; it says nothing of another. */
export type TunedDevice = DeviceTuning & { device: string };

export type DeviceChoice = DeviceTuning & {
  /** Streams that the device alone carries at it; 0 when no run holds the deadline. */
  streams: number;
  /** The run that the choice is for. */
  run: StepTime;
};

/** Groups that a live stream may be gathered in, steps: feedback comes each five of them. */
export const groupSizes = [1, 2, 5] as const;

/** Whoever has waited for feedback for 100 ms waits for the next one too. */
export const stepDeadlineMs = 100;

/**
 * Streams that back-to-back runs of one kind carry: each run takes `batch` streams `steps` strides
 * on. A fifth of the time is left, for a queue that is always full has no end.
 */
export function streamsCarried({ batch, steps, ms }: StepTime, strideMs: number): number {
  return Math.floor((utilisation * batch * steps * strideMs) / ms);
}

/** Whether steps are out within the deadline: they wait for the run before, and for their own. */
export function holdsDeadline({ ms }: StepTime, deadlineMs = stepDeadlineMs): boolean {
  return 2 * ms <= deadlineMs;
}

/**
 * The batch and group that carry most streams of all measured ones that hold the deadline; where
 * none does, those that get furthest. A larger one has to carry a twentieth more, since it makes
 * whoever is alone wait. `times` is not empty.
 */
export function chooseTuning(times: readonly StepTime[], strideMs: number, deadlineMs = stepDeadlineMs): DeviceChoice {
  const groups = times.filter(({ steps }) => isGroup(steps));
  const holding = groups.filter((time) => holdsDeadline(time, deadlineMs));
  const candidates = (holding.length > 0 ? holding : groups).toSorted((a, b) => a.steps - b.steps || a.batch - b.batch);
  const rate = ({ batch, steps, ms }: StepTime) => (batch * steps) / ms;
  const run = candidates.reduce((best, time) => (rate(time) > worthwhile * rate(best) ? time : best));
  const streams = holding.length > 0 ? streamsCarried(run, strideMs) : 0;
  return { maxBatch: run.batch, groupSteps: run.steps, streams, run };
}

export type StepMeasuring = {
  /**
   * Runs of each kind after its first, which may have to build kernels; fewer, but one, of those
   * that take a tenth of the budget.
   */
  repetitions: number;
  /** No further batch size is begun after that. */
  budgetMs: number;
  /** The most streams of a run that is tried. */
  maxBatch: number;
  now?: () => number;
};

/**
 * Times runs of each batch size and group, from the smallest on, until a larger batch no longer
 * gets further in its time, or time is up. The time of a kind is the median of its repetitions.
 * Errors: those of `run`.
 */
export async function measureSteps(
  run: (batch: number, steps: number) => Promise<unknown>,
  { repetitions, budgetMs, maxBatch, now = () => performance.now() }: StepMeasuring,
): Promise<StepTime[]> {
  const startMs = now();
  const times: StepTime[] = [];
  let best = 0;
  for (const [batch, steps] of bySize(maxBatch)) {
    await run(batch, steps);
    const kindMs = now();
    const took: number[] = [];
    while (took.length === 0 || (took.length < repetitions && now() - kindMs < budgetMs / kindsInBudget)) {
      const beganMs = now();
      await run(batch, steps);
      took.push(now() - beganMs);
    }
    const ms = median(took);
    times.push({ batch, steps, ms });
    if (steps !== groupSizes.at(-1)) continue;
    const rate = (batch * steps) / ms;
    if (rate < worthwhile * best || now() - startMs > budgetMs) break;
    best = rate;
  }
  return times;
}

/** Batch sizes and groups, all groups of a batch before the next batch. */
function bySize(maxBatch: number): [number, number][] {
  const batches = batchSizes.filter((batch) => batch <= maxBatch);
  return batches.flatMap((batch) => groupSizes.map((steps): [number, number] => [batch, steps]));
}

function isGroup(steps: number): boolean {
  return groupSizes.some((size) => size === steps);
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const utilisation = 0.8;
const worthwhile = 1.05;
const kindsInBudget = 10;
