import { describe, expect, it } from 'vitest';
import { samplesForMargin, samplesToProve } from '../../src/stats/sample-size.ts';

describe('samples that prove an objective at 95 %', () => {
  it.each([
    ['p95', 0.05, [59, 93, 336]],
    ['p99', 0.01, [299, 473, 1693]],
    ['99.95 % availability', 0.0005, [5990, 9486, 33921]],
  ])('%s with 0, 1 and 10 misses', (_name, missShare, needed) => {
    expect([0, 1, 10].map((misses) => samplesToProve(missShare, misses, 0.95))).toEqual(needed);
  });

  it('never end for an objective of 100 %', () => expect(samplesToProve(0, 0, 0.95)).toBe(Infinity));
});

it.each([
  [0.9, 0.005, 23886],
  [0.95, 0.0025, 50425],
  [0.97, 0.0015, 85811],
  [0.99, 0.0005, 262742],
])("MLPerf's query count at p%f with margin %f is %i", (p, margin, n) =>
  expect(samplesForMargin(p, margin, 0.99)).toBe(n),
);
