import { expect, it } from 'vitest';
import { decide, type Terms } from '../../src/acoustic/schedule.ts';
import { runShapes } from '../../src/acoustic/shapes.ts';
import { StepQueue } from '../../src/acoustic/step-queue.ts';

/** A scripted engine: streams of step queues, a clock that each run moves on by its cost. */
function simulate(live: number, bursting: number, burstSteps: number) {
  const terms: Terms = { pace: { steps: 1, fillMs: 0 }, shapes: runShapes('cpu'), strideMs: 20 };
  const streams = Array.from({ length: live + bursting }, (_, i) => ({
    isLive: i < live,
    queue: new StepQueue(1),
    ended: false,
    get pending() {
      return this.queue.length;
    },
    get oldestDeadlineMs() {
      return this.queue.oldestDeadlineMs;
    },
    arrivalMs(index: number) {
      return this.queue.arrivalMs(index);
    },
  }));
  let nowMs = 0;
  let worstLiveMs = 0;
  let burstDoneMs = 0;
  // Everybody's burst comes at 100 ms; the live streams' steps come each 20 ms, at their own phases.
  const arrivals = [
    ...streams.slice(live).map((stream) => ({ stream, atMs: 100, steps: burstSteps })),
    ...streams.slice(0, live).flatMap((stream, i) => {
      return Array.from({ length: 50 }, (_, k) => ({ stream, atMs: 20 * k + (20 * i) / live, steps: 1 }));
    }),
  ].sort((a, b) => a.atMs - b.atMs);
  const out = new Float32Array(64);
  for (let next = 0; ; ) {
    while (next < arrivals.length && arrivals[next]!.atMs <= nowMs) {
      const { stream, atMs, steps } = arrivals[next++]!;
      for (let k = 0; k < steps; k++) stream.queue.add(atMs, 20);
    }
    const waiting = streams.filter((stream) => stream.pending > 0);
    const decision = decide(waiting, streams.length, nowMs, terms);
    if ('waitUntilMs' in decision) {
      if (next === arrivals.length) return { worstLiveMs, burstDoneMs };
      nowMs = arrivals[next]!.atMs;
      continue;
    }
    nowMs += 0.3 + 0.028 * decision.bucket * decision.steps;
    for (const stream of decision.run) {
      if (stream.isLive) worstLiveMs = Math.max(worstLiveMs, nowMs - stream.arrivalMs(0));
      else burstDoneMs = nowMs;
      stream.queue.take(decision.steps, out, 0);
    }
  }
}

it('a hundred streams that come back with a second of sound each hold no live stream up by more than 20 ms', () => {
  const { worstLiveMs, burstDoneMs } = simulate(50, 100, 50);
  expect(worstLiveMs).toBeLessThan(20);
  // 5,000 steps at 28 us are 140 ms of work: that they are fair does not make them slow.
  expect(burstDoneMs).toBeLessThan(100 + 1000);
});

it('one stream with a minute of sound holds nobody up', () => {
  expect(simulate(50, 1, 3000).worstLiveMs).toBeLessThan(10);
});
