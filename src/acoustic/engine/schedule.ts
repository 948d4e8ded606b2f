import { fitBatch, type RunShapes, stepsWithin } from '../onnx/shapes.ts';
import type { Pace } from './pace.ts';

/** A stream with at least one step waiting. */
export type Waiting = {
  pending: number;
  /** Steps run so far. */
  taken: number;
  /** When step `index` of those waiting came, ms. */
  arrivalMs(index: number): number;
  /** The stream with the earliest one runs first; see StepQueue. */
  oldestDeadlineMs: number;
  /** No more audio will come: nothing to wait for. */
  ended: boolean;
  /** Others go before it. */
  canWait: boolean;
};

/** Conditions that the engine runs under; `strideMs` is one step's sound. */
export type Terms = { pace: Pace; shapes: RunShapes; strideMs: number };

export type Decision<T> =
  | { run: readonly T[]; steps: number; bucket: number }
  /** Ask again then, or when a chunk comes. Infinity: nothing waits. */
  | { waitUntilMs: number };

/**
 * What to run now, of all that wait among `open` streams. A stream's steps run in groups of the
 * pace's, counted from its start: what is asked of it each 100 ms, look-ahead included, is known as
 * soon as the last step of a group of 100 ms is. It is ripe when it holds its group's rest, or has
 * waited as long as that takes to come, or has ended. A run starts when every open stream or a full
 * batch of them is ripe, or one has been ripe for the fill time. Ripe streams run by deadline,
 * those that can wait behind the others, each at most once a batch: the rest of the first one's
 * group, with all that have as much left of theirs. Where the first has a burst, a run takes no
 * more steps than three quarters of all hold, so that streams that come back with one neither wait
 * for ever nor hold up the live ones.
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
  ripe.sort((a, b) => dueMs(a) - dueMs(b));
  const ready = ripe.map((stream) => stepsReady(stream, pace));
  const steps = stepsWithin(hasBurst(ripe[0]!, pace) ? Math.min(ready[0]!, lowerQuartile(ready)) : ready[0]!, shapes);
  // A live stream that ran less than the rest of its group would run twice in each group from then
  // on.
  const fitting = ripe.filter((stream, i) => ready[i] === steps || (ready[i]! > steps && hasBurst(stream, pace)));
  if (fitting[0] !== ripe[0]) fitting.unshift(ripe[0]!);
  const { streams, bucket } = fitBatch(fitting.length, steps, shapes);
  return { run: fitting.slice(0, streams), steps, bucket };
}

/**
 * What can wait is due so much later than it came that others go before it, and that it goes on
 * behind them even when they never leave anything.
 */
function dueMs({ oldestDeadlineMs, canWait }: Waiting): number {
  return canWait ? oldestDeadlineMs + canWaitMs : oldestDeadlineMs;
}

function ripeAtMs(stream: Waiting, pace: Pace, strideMs: number): number {
  if (stream.ended) return stream.arrivalMs(0);
  const rest = restOfGroup(stream, pace);
  if (stream.pending >= rest) return stream.arrivalMs(rest - 1);
  return stream.arrivalMs(0) + (rest - 1 + patience) * strideMs;
}

/**
 * Steps that may run at once: to the end of the group, unless the stream is behind by more than
 * that.
 */
function stepsReady(stream: Waiting, pace: Pace): number {
  if (hasBurst(stream, pace)) return stream.pending;
  return Math.min(stream.pending, restOfGroup(stream, pace));
}

/** Whether it holds more than a live stream does, or ends: it may be cut anywhere. */
function hasBurst(stream: Waiting, pace: Pace): boolean {
  return stream.ended || stream.pending >= 2 * pace.steps;
}

function restOfGroup({ taken }: Waiting, pace: Pace): number {
  return pace.steps - (taken % pace.steps);
}

/**
 * How much later than due a group's last step may come before the rest runs without it, steps:
 * timers and networks are not exact.
 */
const patience = 0.5;

/**
 * More than live streams wait on a server that still takes new ones, so long that those who were
 * sent away by a server that is late come behind all others until it has caught up, and less than a
 * client waits.
 */
const canWaitMs = 5000;

function lowerQuartile(counts: readonly number[]): number {
  return [...counts].sort((a, b) => a - b)[counts.length >> 2]!;
}
