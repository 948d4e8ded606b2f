import fc from 'fast-check';
import { expect, it } from 'vitest';
import { binomialCdf } from '../../src/stats/distributions.ts';
import { shareLower, shareUpper } from '../../src/stats/share-bounds.ts';

it.each([
  ['nothing of one', 0, 1, 0, 0.95],
  ['all of one', 1, 1, 0.05, 1],
  ['nothing of 59, with which p95 is proven', 0, 59, 0, 1 - 0.05 ** (1 / 59)],
  // (1 - p)^10 = 0.05 and p^10 = 0.05 at the ends.
  ['all of ten', 10, 10, 0.05 ** (1 / 10), 1],
  ['half of two', 1, 2, 1 - Math.sqrt(0.95), Math.sqrt(0.95)],
  ['no sample', 0, 0, 0, 1],
])('%s bounds the share of misses', (_, misses, samples, low, high) => {
  expect(shareLower(misses, samples, 0.95)).toBeCloseTo(low, 12);
  expect(shareUpper(misses, samples, 0.95)).toBeCloseTo(high, 12);
});

it('each bound is where the binomial test turns', () => {
  const counts = fc
    .integer({ min: 1, max: 5000 })
    .chain((n) => fc.tuple(fc.integer({ min: 1, max: n }), fc.constant(n)));
  fc.assert(
    fc.property(counts, fc.double({ min: 0.6, max: 0.999, noNaN: true }), ([misses, samples], confidence) => {
      const [low, high] = [shareLower(misses, samples, confidence), shareUpper(misses, samples, confidence)];
      expect(1 - binomialCdf(misses - 1, samples, low)).toBeCloseTo(1 - confidence, 6);
      if (misses < samples) expect(binomialCdf(misses, samples, high)).toBeCloseTo(1 - confidence, 6);
      expect(low).toBeLessThanOrEqual(misses / samples);
      expect(high).toBeGreaterThanOrEqual(misses / samples);
    }),
    { numRuns: 100, seed: 3 },
  );
});
