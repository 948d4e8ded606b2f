import { LoadFollower, type Pace } from '../../src/acoustic/engine/pace.ts';
import { decide } from '../../src/acoustic/engine/schedule.ts';
import { StepQueue } from '../../src/acoustic/features/step-queue.ts';
import { runShapes } from '../../src/acoustic/onnx/shapes.ts';

export type Arrival = { stream: number; atMs: number; steps: number };

/** A step that was run: from its arrival to the end of its run. */
export type Done = { stream: number; step: number; arrivedMs: number; endedMs: number };

/** Live streams: a step each 20 ms, at phases spread evenly. */
export function liveArrivals(streams: number, forMs: number): Arrival[] {
  return Array.from({ length: streams }, (_, stream) => {
    return Array.from({ length: forMs / 20 }, (_, k) => ({ stream, atMs: 20 * k + (20 * stream) / streams, steps: 1 }));
  }).flat();
}

/**
 * The engine's decisions on a clock that each run moves on by its cost, without a model. The cost is what bench/acoustic.ts
 * measured on a quiet core: 0.1 ms a run, 11 us a stream-step, 80 us of messages; `slowness` times that.
 */
export function runScript(arrivals: readonly Arrival[], pace?: Pace, slowness = 1): Done[] {
  const due = [...arrivals].sort((a, b) => a.atMs - b.atMs);
  const count = Math.max(...due.map(({ stream }) => stream)) + 1;
  const streams = Array.from({ length: count }, (_, id) => new ScriptedStream(id));
  const load = new LoadFollower(0);
  const done: Done[] = [];
  let nowMs = 0;
  for (let next = 0; ; ) {
    for (; next < due.length && due[next]!.atMs <= nowMs; next++) {
      const { stream, atMs, steps } = due[next]!;
      for (let k = 0; k < steps; k++) streams[stream]!.queue.add(atMs, 20);
    }
    const waiting = streams.filter((stream) => stream.pending > 0);
    const terms = { pace: pace ?? load.pace, shapes: runShapes('cpu'), strideMs: 20 };
    const decision = decide(waiting, streams.length, nowMs, terms);
    if ('waitUntilMs' in decision) {
      const nextMs = due[next]?.atMs ?? Number.POSITIVE_INFINITY;
      if (Math.min(nextMs, decision.waitUntilMs) === Number.POSITIVE_INFINITY) return done;
      // A timer of Node fires on whole milliseconds.
      nowMs = Math.min(nextMs, Math.max(nowMs + 1, Math.ceil(decision.waitUntilMs)));
      continue;
    }
    const { run, steps, bucket } = decision;
    const endedMs = nowMs + 0.08 + slowness * (0.1 + 0.011 * bucket * steps);
    load.ran(nowMs, endedMs);
    nowMs = endedMs;
    for (const stream of run) {
      for (let k = 0; k < steps; k++) {
        done.push({ stream: stream.id, step: stream.taken++, arrivedMs: stream.arrivalMs(k), endedMs });
      }
      stream.queue.take(steps, scratch, 0);
    }
  }
}

const scratch = new Float32Array(64);

class ScriptedStream {
  readonly queue = new StepQueue(1);
  readonly ended = false;
  readonly canWait = false;
  taken = 0;
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }

  get pending(): number {
    return this.queue.length;
  }

  get oldestDeadlineMs(): number {
    return this.queue.oldestDeadlineMs;
  }

  arrivalMs(index: number): number {
    return this.queue.arrivalMs(index);
  }
}
