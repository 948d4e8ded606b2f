import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Retry } from '../../../src/load/learner/retry.ts';
import { createRandomStream } from '../../../src/stats/random-stream.ts';

const policy = { forMs: 60_000, firstMs: 1000, maxMs: 8000 };

describe('a learner who is refused', () => {
  it('asks again later each time, and gives up when its patience is over', () => {
    const retry = new Retry(policy, () => 1);
    const asked: (number | undefined)[] = [];
    for (let nowMs: number | undefined = 0; nowMs !== undefined; ) {
      nowMs = retry.nextMs(nowMs, undefined);
      asked.push(nowMs);
    }
    expect(asked).toEqual([1000, 3000, 7000, 15_000, 23_000, 31_000, 39_000, 47_000, 55_000, undefined]);
  });

  it.each([
    ['as the server asks where that is longer', 5000, 0, 5000],
    ['a quarter more at most', 5000, 1, 6250],
    ['by itself where that is longer', 100, 1, 1000],
  ])('waits %s: asked for %d ms, with a draw of %d, %d ms', (_, askedMs, draw, expected) => {
    expect(new Retry(policy, () => draw).nextMs(0, askedMs)).toBe(expected);
  });

  it('never comes sooner than asked, nor after its patience', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(fc.option(fc.nat(100_000)), { maxLength: 20 }), (seed, waits) => {
        const retry = new Retry(policy, createRandomStream(seed, 1));
        let nowMs = 500;
        for (const askedMs of waits) {
          const nextMs = retry.nextMs(nowMs, askedMs ?? undefined);
          if (nextMs === undefined) return;
          expect(nextMs - nowMs).toBeGreaterThanOrEqual(askedMs ?? 0);
          expect(nextMs).toBeLessThanOrEqual(500 + policy.forMs);
          nowMs = nextMs;
        }
      }),
      { seed: 14 },
    );
  });
});
