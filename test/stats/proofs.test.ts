import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binomialCdf } from '../../src/stats/distributions.ts';
import { upperRank } from '../../src/stats/order-statistics.ts';
import { samplesToProve } from '../../src/stats/sample-size.ts';

describe('the binomial distribution', () => {
  it.each([
    [2, 5, 0.5, 0.5],
    [0, 59, 0.05, 0.95 ** 59],
    [8, 10, 0.9, 1 - 10 * 0.9 ** 9 * 0.1 - 0.9 ** 10],
    [-1, 10, 0.5, 0],
    [10, 10, 0.5, 1],
  ])('P(X <= %i) of %i trials at %f is %f', (k, n, p, expected) => {
    expect(binomialCdf(k, n, p)).toBeCloseTo(expected, 12);
  });

  it('agrees with the sum of its terms', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.nat(60),
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        (n, k, p) => {
          let term = (1 - p) ** n;
          let sum = term;
          for (let i = 1; i <= Math.min(k, n); i++) {
            term *= ((n - i + 1) / i) * (p / (1 - p));
            sum += term;
          }
          expect(binomialCdf(k, n, p)).toBeCloseTo(Math.min(1, sum), 9);
        },
      ),
    );
  });
});

describe('samples that prove an objective at 95 %, by misses', () => {
  it.each([
    ['p95', 0.05, [59, 93, 208, 336, 1260]],
    ['p99', 0.01, [299, 473, 1049, 1693, 6323]],
    ['99.95 % availability', 0.0005, [5990, 9486, 21024, 33921, 126568]],
  ])('%s follows the early-stopping table', (_, share, expected) => {
    expect([0, 1, 5, 10, 50].map((misses) => samplesToProve(share, misses, 0.95))).toEqual(expected);
  });

  it('at 99 % they are more', () => {
    expect([0, 1, 5, 10, 50].map((misses) => samplesToProve(0.05, misses, 0.99))).toEqual([90, 130, 259, 398, 1372]);
  });

  it('no number of samples proves never', () => {
    expect(samplesToProve(0, 0, 0.95)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('the upper rank of a quantile', () => {
  it('is absent below the fewest samples that bound it', () => {
    expect(upperRank(58, 0.95, 0.95)).toBeUndefined();
    expect(upperRank(59, 0.95, 0.95)).toBe(59);
    expect(upperRank(0, 0.5, 0.95)).toBeUndefined();
  });

  it('is the smallest rank with the coverage asked for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 60, max: 5000 }), fc.constantFrom(0.5, 0.9, 0.95), (n, p) => {
        const rank = upperRank(n, p, 0.95)!;
        expect(binomialCdf(rank - 1, n, p)).toBeGreaterThanOrEqual(0.95);
        expect(binomialCdf(rank - 2, n, p)).toBeLessThan(0.95);
      }),
    );
  });
});
