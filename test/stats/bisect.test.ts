import fc from 'fast-check';
import { expect, it } from 'vitest';
import { firstTrue, lowerBound, upperBound } from '../../src/stats/bisect.ts';

it.each([
  ['none holds', 1, 10, 99, 10],
  ['the first holds', 1, 10, 1, 1],
  ['one in the middle is the first', 1, 10, 7, 7],
  ['there is none to try', 5, 5, 0, 5],
])('%s', (_, low, end, first, expected) => {
  expect(firstTrue(low, end, (value) => value >= first)).toBe(expected);
});

it('bounds split a sorted list where a walk through it would', () => {
  const values = fc.array(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant(Number.POSITIVE_INFINITY)));
  fc.assert(
    fc.property(values, fc.integer({ min: -1, max: 10 }), (unsorted, value) => {
      const sorted = Float64Array.from(unsorted).sort();
      expect(lowerBound(sorted, value)).toBe(sorted.filter((one) => one < value).length);
      expect(upperBound(sorted, value)).toBe(sorted.filter((one) => one <= value).length);
    }),
    { seed: 11 },
  );
});
