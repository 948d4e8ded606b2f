import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quantileInterval, sessionsWorth, worthAt } from '../../../src/budget/decompose/worth.ts';
import { clustersOf } from '../../../src/budget/sample/clusters.ts';
import { fewness } from '../../../src/stats/effective-size.ts';

const confidence = 0.95;
const endless = Number.POSITIVE_INFINITY;

describe('what traces of sessions are worth at a value', () => {
  it('is their number over the variance between sessions of the share above it', () => {
    const session = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.array(session, { minLength: 2, maxLength: 16 }), fc.integer({ min: 1, max: 8 }), (sessions, q) => {
        const values = Float64Array.from(sessions.flat());
        const n = values.length;
        fc.pre(n > sessions.length);
        const clusters = clustersOf(
          sessions.flatMap((one, i) => one.map(() => `s${i}`)),
          n,
        );
        const above = sessions.map((one) => one.filter((value) => value > q).length);
        const share = above.reduce((sum, count) => sum + count, 0) / n;
        const byLength = n ** 2 / sessions.reduce((sum, one) => sum + one.length ** 2, 0);
        const squares = sessions.reduce((sum, one, i) => sum + (above[i]! - share * one.length) ** 2, 0);
        const spread = (sessions.length / (sessions.length - 1)) * (squares / n / (share * (1 - share)));
        // Where none lies above, or all do, nothing tells: a session counts as one, by its length.
        const effect = share === 0 || share === 1 ? n / byLength : spread;
        const designEffect = Math.max(1, effect);
        // A design effect below 1 is believed of nine equal sessions and more, up to the number of the traces.
        const believed = byLength < 9 ? designEffect : effect;
        const worth = n * Math.min(1, fewness(n, byLength - 1, confidence) / believed);
        expect(worthAt(values, q, { clusters, confidence })).toEqual({
          sessions: sessions.length,
          byLength: expect.closeTo(byLength, 9),
          designEffect: expect.closeTo(designEffect, 9),
          traces: expect.closeTo(worth, 6),
        });
      }),
      { numRuns: 200 },
    );
  });

  it('is one of a single session, and all of traces that are sessions of their own', () => {
    const values = Float64Array.of(1, 2, 3, 4);
    expect(worthAt(values, 2, { clusters: clustersOf(['a', 'a', 'a', 'a'], 4), confidence }).traces).toBe(1);
    expect(worthAt(values, 2, { clusters: undefined, confidence })).toEqual({
      sessions: undefined,
      designEffect: 1,
      traces: 4,
    });
  });
});

describe('the interval of a quantile', () => {
  const sorted = Float64Array.from({ length: 100 }, (_, i) => i + 1);

  // The ranks of the binomial for the median are 8 and 18 of 25, 40 and 61 of 100, 1 and 6 of 6; for p90 41 and 50 of 50, 19 and none of 25.
  it.each([
    [100, 0.5, 100, 40, 61],
    [100.9, 0.5, 100, 40, 61],
    [25, 0.5, 100, 30, 72],
    [6, 0.5, 100, 8, 100],
    [5.9, 0.5, 100, -endless, endless],
    [500, 0.5, 100, 40, 61],
    [50, 0.9, 50, 41, 50],
    [25, 0.9, 50, 37, endless],
    [0, 0.5, 50, -endless, endless],
  ])('of %f at %f, of %i values, lies between %f and %f', (traces, p, n, low, high) => {
    const worth = { sessions: undefined, designEffect: 1, traces };
    expect(quantileInterval(sorted.subarray(0, n), p, worth, confidence)).toEqual({ low, high });
  });
});

it.each([
  ['as many as traces, where each session has one', 59, { n: 20, sessions: 20, designEffect: 1 }],
  ['fewer than traces, where sessions have many', 72, { n: 1000, sessions: 20, designEffect: 10 }],
  ['two at least', 1, { n: 2000, sessions: 2, designEffect: 1 }],
  ['more, where few sessions hold most of them', 72, { n: 1000, sessions: 100, byLength: 1.2, designEffect: 1 }],
])('sessions are worth so many traces: %s', (_, traces, found) => {
  const each = found.n / found.sessions / found.designEffect;
  const length = found.n / found.sessions;
  const equal = 'byLength' in found ? found.byLength / found.sessions : 1;
  const worth = (count: number) => count * each * fewness(count * length, count * equal - 1, confidence);
  const needed = sessionsWorth(traces, found, confidence);
  expect(needed).toBeGreaterThanOrEqual(2);
  expect(worth(needed)).toBeGreaterThanOrEqual(traces);
  if (needed > 2) expect(worth(needed - 1)).toBeLessThan(traces);
});
