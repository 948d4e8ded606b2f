import { describe, expect, it } from 'vitest';
import { LoadFollower, largerGroups } from '../../../src/acoustic/engine/pace.ts';
import { type Done, liveArrivals, runScript } from '../../kit/scripted-engine.ts';

const waitMs = ({ arrivedMs, endedMs }: Done) => endedMs - arrivedMs;

/** The p95 wait of the step that ends 100 ms, for feedback as often, once the pace has found the load. */
function p95(done: readonly Done[]): number {
  const waits = done
    .filter(({ arrivedMs, step }) => arrivedMs > 3000 && step % 5 === 4)
    .map(waitMs)
    .sort((a, b) => a - b);
  return waits[Math.ceil(0.95 * waits.length) - 1]!;
}

describe('by the costs of a quiet core, the p95 wait of the step that ends 100 ms', () => {
  it.each([
    [1, 1, 1],
    [20, 1, 1],
    [50, 1, 8],
    [200, 1, 30],
    [400, 1, 60],
    [200, 1.5, 30],
    [200, 2, 60],
    [300, 2, 120],
  ])('of %i live streams, all %f times as slow, is under %i ms', (streams, slowness, ms) => {
    expect(p95(runScript(liveArrivals(streams, 6000), undefined, slowness))).toBeLessThan(ms);
  });
});

it('larger groups wait longer and cost a stream-second less', () => {
  const runs = (pace?: { steps: number; fillMs: number }) => runScript(liveArrivals(200, 6000), pace, 2);
  const batches = (done: readonly Done[]) => new Set(done.map(({ endedMs }) => endedMs)).size;
  const asBusy = runs();
  const larger = runs(largerGroups);
  expect(larger.length).toBe(asBusy.length);
  expect(batches(larger)).toBeLessThan(0.6 * batches(asBusy));
});

it('a follower of the load runs larger groups for as long as they are wanted, whatever it carries', () => {
  const follower = new LoadFollower(0);
  follower.prefersGroups = true;
  for (let at = 0; at < 2000; at += 100) follower.ran(at, at + 1);
  expect(follower.pace).toEqual(largerGroups);
  follower.prefersGroups = false;
  expect(follower.pace).toMatchObject({ steps: 1, fillMs: 0 });
});

describe('a burst', () => {
  const atOnce = { steps: 1, fillMs: 0 };
  const live = liveArrivals(50, 1000);
  const isLive = ({ stream }: Done) => stream < 50;

  it('of a second from each of a hundred streams that come back holds no live stream up by more than 20 ms', () => {
    const bursts = Array.from({ length: 100 }, (_, i) => ({ stream: 50 + i, atMs: 100, steps: 50 }));
    const done = runScript([...live, ...bursts], atOnce);
    expect(Math.max(...done.filter(isLive).map(waitMs))).toBeLessThan(20);
    // 5,000 steps are a tenth of a second of work: that they give way does not make them slow.
    expect(Math.max(...done.map(waitMs))).toBeLessThan(1000);
  });

  it('of a minute from one stream holds nobody up', () => {
    const done = runScript([...live, { stream: 50, atMs: 100, steps: 3000 }], atOnce);
    expect(Math.max(...done.filter(isLive).map(waitMs))).toBeLessThan(10);
  });

  it('loses no step and runs each stream in order', () => {
    const done = runScript([...live, { stream: 50, atMs: 100, steps: 3000 }]);
    expect(done.length).toBe(live.length + 3000);
    const times = done.filter(({ stream }) => stream === 7).map(({ arrivedMs }) => arrivedMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });
});
