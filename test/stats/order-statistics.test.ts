import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quantileRanks, samplesForInterval } from '../../src/stats/order-statistics.ts';
import { quantileInPlace, quantileOfSorted, quantileRank } from '../../src/stats/quantile.ts';

describe('the interval of a percentile', () => {
  it.each([
    [100, 0.95, 90, 100, 0.98261],
    [1000, 0.95, 936, 964, 0.9581],
    [6, 0.5, 1, 6, 0.96875],
  ])('of %i samples at p%f lies between ranks %i and %i with chance %f', (n, p, low, high, coverage) => {
    const ranks = quantileRanks(n, p, 0.95);
    expect([ranks.low, ranks.high]).toEqual([low, high]);
    expect(ranks.coverage).toBeCloseTo(coverage, 5);
  });

  it('has no upper end in too small a sample, and says so', () => {
    expect(quantileRanks(20, 0.95, 0.95).high).toBeUndefined();
    expect(quantileRanks(71, 0.95, 0.95).high).toBeUndefined();
    expect(quantileRanks(72, 0.95, 0.95).high).toBe(72);
    expect(samplesForInterval(0.95, 0.95)).toBe(72);
  });

  it('covers at least what was asked whenever both ends exist', () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.double({ min: 0.02, max: 0.99, noNaN: true }), (n, p) => {
        const ranks = quantileRanks(n, p, 0.95);
        if (ranks.low === undefined || ranks.high === undefined) return;
        expect(ranks.coverage).toBeGreaterThanOrEqual(0.95 - 1e-9);
        expect(ranks.low).toBeLessThanOrEqual(quantileRank(n, p));
        expect(ranks.high).toBeGreaterThanOrEqual(quantileRank(n, p));
      }),
    ));
});

describe('a quantile', () => {
  it.each([
    [100, 0.95, 95],
    [100, 0.07, 7],
    [1000, 0.999, 999],
    [10, 0, 1],
    [10, 1, 10],
    [1, 0.5, 1],
  ])('of %i values at %f is the value of rank %i', (n, p, rank) => expect(quantileRank(n, p)).toBe(rank));

  it('stays defined when some values are infinite', () =>
    expect(quantileOfSorted([1, 2, 3, Infinity], 0.95)).toBe(Infinity));

  it('is the same by selection and by sorting', () =>
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 50, noNaN: true }), { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, p) => {
          const sorted = Float64Array.from(values).sort();
          expect(quantileInPlace(Float64Array.from(values), p)).toBe(quantileOfSorted(sorted, p));
        },
      ),
    ));
});
