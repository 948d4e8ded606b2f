import { floorSafe } from './rounding.ts';

/** One measured step of the model: `batch` streams advance by one chunk in `stepMs`. */
export type BatchStep = { batch: number; stepMs: number };

export type BatchRules = {
  /** Sound in one chunk of one stream. */
  chunkMs: number;
  /** The longest that a step waits to fill. */
  maxWaitMs: number;
  /** How busy the engine may be: .8 leaves room for the rest of the pod. */
  utilisation: number;
  /** Wait, step and the step before it must fit. */
  deadlineMs: number;
};

type BatchOption = BatchStep & {
  /** Streams that full steps of this batch carry. */
  streams: number;
  /** Worst engine latency at that load: the step in progress, the wait to fill, the own step. */
  latencyMs: number;
  keepsDeadline: boolean;
};

/**
 * Every measured batch at its full load, smallest first, and the one that carries most streams
 * within the deadline.
 */
export type BatchChoice = { options: BatchOption[]; best: BatchOption | undefined };

/**
 * Batch size from measured steps. A step of b streams each chunkMs carries utilisation x b x chunk
 * / step(b) streams; their chunks arrive chunk / streams apart, so a step fills in (b - 1) of
 * those, or stops waiting. Bigger batches carry more and answer later; of two that carry the same
 * the smaller is chosen.
 */
export function chooseBatch(steps: readonly BatchStep[], rules: BatchRules): BatchChoice {
  const options = [...steps].sort((a, b) => a.batch - b.batch).map((step) => optionOf(step, rules));
  const kept = options.filter((option) => option.keepsDeadline && option.streams > 0);
  const best = kept.reduce<BatchOption | undefined>((a, b) => (a && a.streams >= b.streams ? a : b), undefined);
  return { options, best };
}

function optionOf(step: BatchStep, { chunkMs, maxWaitMs, utilisation, deadlineMs }: BatchRules): BatchOption {
  const streams = floorSafe((utilisation * step.batch * chunkMs) / step.stepMs);
  const fillMs = streams > 0 ? ((step.batch - 1) * chunkMs) / streams : 0;
  const latencyMs = step.stepMs + Math.min(fillMs, maxWaitMs) + step.stepMs;
  return { ...step, streams, latencyMs, keepsDeadline: latencyMs <= deadlineMs };
}
