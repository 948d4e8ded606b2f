import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparisonWord, timesToDecide } from '../../../src/slo/objective/comparison-word.ts';

const never = Number.POSITIVE_INFINITY;

describe('with a margin of 5, an interval of a change whose rise hurts', () => {
  it.each([
    ['beyond the margin', 5.1, 9, 'worse'],
    ['beyond it on the other side', -9, -5.1, 'better'],
    ['within it', -5, 5, 'same'],
    ['of no width within it', 0, 0, 'same'],
    ['that begins on the margin', 5, 9, 'undecided'],
    ['that ends on it on the other side', -9, -5, 'undecided'],
    ['over its upper end', 1, 9, 'undecided'],
    ['over its lower end', -9, 4, 'undecided'],
    ['120 times as wide', -600, 600, 'undecided'],
    ['that nothing bounds', -never, never, 'undecided'],
    ['of what never came any more', never, never, 'worse'],
  ])('%s: %d to %d is %s', (_, lower, upper, word) => {
    expect(comparisonWord({ lower, upper }, 5, 'rise')).toBe(word);
  });
});

it('says the opposite of a change whose fall hurts, and the same of what is neither', () => {
  const mirror = { worse: 'better', better: 'worse', same: 'same', undecided: 'undecided' };
  const change = fc.integer({ min: -100, max: 100 });
  fc.assert(
    fc.property(change, fc.nat(100), fc.integer({ min: 1, max: 50 }), (lower, width, margin) => {
      const interval = { lower, upper: lower + width };
      expect(comparisonWord(interval, margin, 'fall')).toBe(mirror[comparisonWord(interval, margin, 'rise')]);
    }),
    { seed: 11 },
  );
});

it.each([
  [-600, 600, 5, 14_400],
  [-10, 10, 10, 1],
  [0, 40, 10, 4],
  [-never, never, 10, never],
  [-1, 1, 0, never],
  [0, 0, 0, never],
])('an interval from %d to %d with a margin of %d needs %d times the data', (lower, upper, margin, times) => {
  expect(timesToDecide({ lower, upper }, margin)).toBe(times);
});
