import type { Pace } from './pace.ts';
import { fitBatch, type RunShapes, stepsWithin } from './shapes.ts';

/** A stream with at least one step waiting. */
export type Waiting = {
  pending: number;
  /** When step `index` of those waiting came, ms. */
  arrivalMs(index: number): number;
  /** Whose turn is first; see StepQueue. */
  oldestDeadlineMs: number;
  /** No more audio will come: nothing to wait for. */
  ended: boolean;
};

/** What the engine runs under; `strideMs` is one step's sound. */
export type Terms = { pace: Pace; shapes: RunShapes; strideMs: number };

export type Decision<T> =
  | { run: readonly T[]; steps: number; bucket: number }
  /** Ask again then, or when a chunk comes. Infinity: nothing waits. */
  | { waitUntilMs: number };

/**
 * What to run now, of all that wait among `open` streams. A stream is ripe when it holds the pace's steps, or has waited as long
 * as they take to come, or has ended. A run starts when every open stream or a full batch of them is ripe, or one has been ripe
 * for the fill time. Ripe streams run by deadline, each at most once a batch; a run takes as many steps as the first of them
 * holds and three quarters of them hold, so that streams that come back with a burst neither wait for ever nor hold up the
 * live ones.
 */
export function decide<T extends Waiting>(
  waiting: readonly T[],
  open: number,
  nowMs: number,
  { pace, shapes, strideMs }: Terms,
): Decision<T> {
  const ripe: T[] = [];
  let firstRipeMs = Number.POSITIVE_INFINITY;
  for (const stream of waiting) {
    const ripeMs = ripeAtMs(stream, pace, strideMs);
    if (ripeMs <= nowMs) ripe.push(stream);
    firstRipeMs = Math.min(firstRipeMs, ripeMs);
  }
  const complete = ripe.length >= Math.min(open, shapes.maxBatch);
  if (firstRipeMs + pace.fillMs > nowMs && !(complete && ripe.length > 0)) {
    return { waitUntilMs: firstRipeMs + pace.fillMs };
  }
  ripe.sort((a, b) => a.oldestDeadlineMs - b.oldestDeadlineMs);
  const steps = stepsWithin(Math.min(ripe[0]!.pending, lowerQuartile(ripe)));
  const fitting = ripe.filter((stream) => stream.pending >= steps);
  const { streams, bucket } = fitBatch(fitting.length, steps, shapes);
  return { run: fitting.slice(0, streams), steps, bucket };
}

function ripeAtMs(stream: Waiting, pace: Pace, strideMs: number): number {
  if (stream.ended) return stream.arrivalMs(0);
  if (stream.pending >= pace.steps) return stream.arrivalMs(pace.steps - 1);
  return stream.arrivalMs(0) + (pace.steps - 1) * strideMs;
}

function lowerQuartile(streams: readonly Waiting[]): number {
  const sorted = streams.map((stream) => stream.pending).sort((a, b) => a - b);
  return sorted[sorted.length >> 2]!;
}
