import { describe, expect, it } from 'vitest';
import { bandwidthMs, weightAt } from '../../../src/budget/decompose/kernel.ts';

describe('the kernel', () => {
  it.each([
    ['nothing', [], 0],
    ['one', [5], 0],
    ['one that came', [5, Infinity], 0],
    ['two, whose sd is the less', [0, 2], (1.06 * Math.SQRT2) / 2 ** 0.2],
    ['four, whose middle half is the less', [0, 4, 5, 100], (1.06 * 5) / 1.349 / 4 ** 0.2],
    ['those that came', [0, 4, 5, 100, Infinity], (1.06 * 5) / 1.349 / 4 ** 0.2],
    ['a middle half that is one value', [1, 1, 1, 1, 6], (1.06 * Math.sqrt(5)) / 5 ** 0.2],
    ['all alike', [3, 3, 3, 3], 0],
  ])('has a bandwidth of %s', (_name, totals, bandwidth) =>
    expect(bandwidthMs(Float64Array.from(totals))).toBeCloseTo(bandwidth, 12),
  );

  it.each([
    [0, 2, 1],
    [2, 2, Math.exp(-0.5)],
    [-4, 2, Math.exp(-2)],
    [0, 0, 1],
    [1e-9, 0, 0],
    [-1, 0, 0],
  ])('weighs a distance of %f at a bandwidth of %f with %f', (distance, bandwidth, weight) =>
    expect(weightAt(distance, bandwidth)).toBeCloseTo(weight, 12),
  );
});
