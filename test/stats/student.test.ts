import { describe, expect, it } from 'vitest';
import { meanInterval, studentQuantile, welchShift } from '../../src/stats/student.ts';

it.each([
  [0.95, 1, 12.706],
  [0.95, 2, 4.303],
  [0.95, 9, 2.262],
  [0.99, 4, 4.604],
  [0.95, 1e6, 1.96],
])('|T| at confidence %d and %d degrees is %d, as tables have it', (confidence, freedom, value) => {
  expect(studentQuantile(confidence, freedom)).toBeCloseTo(value, 3);
});

describe('the interval of a mean', () => {
  it.each<[string, number[], object]>([
    ['of three runs', [44, 46, 48], { mean: 46, lower: expect.closeTo(41.03, 2), upper: expect.closeTo(50.97, 2) }],
    ['of equal runs is a point', [44, 44], { mean: 44, lower: 44, upper: 44 }],
    ['of one run has no end', [44], { mean: 44, lower: Number.NEGATIVE_INFINITY, upper: Number.POSITIVE_INFINITY }],
  ])('%s', (_, values, expected) => {
    expect(meanInterval(values, 0.95)).toEqual(expected);
  });

  it('needs a value', () => {
    expect(() => meanInterval([], 0.95)).toThrow(RangeError);
  });
});

describe('the shift between two means', () => {
  // scipy 1.10: t.ppf(0.975, 3.1243) times the standard error of [95, 97, 99] less [44, 46, 51].
  it('is Welch’s', () => {
    const { mean, lower, upper } = welchShift([95, 97, 99], [44, 46, 51], 0.95);
    expect(mean).toBe(50);
    expect([lower, upper].map((end) => end - mean)).toEqual([expect.closeTo(-7.408, 2), expect.closeTo(7.408, 2)]);
  });

  it('has no end where a side has one run', () => {
    expect(welchShift([1], [2, 3], 0.95)).toMatchObject({ mean: -1.5, upper: Number.POSITIVE_INFINITY });
  });
});
