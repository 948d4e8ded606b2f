import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bucket, bucketedShift } from '../../src/stats/bucketed-shift.ts';
import { rankSumTest } from '../../src/stats/rank-sum.ts';
import { hodgesLehmann } from '../../src/stats/shift.ts';

const never = Number.POSITIVE_INFINITY;
const values = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 30, maxLength: 80 });

describe('the shift between two histograms', () => {
  it('is the one between their samples, when each sample stands for itself', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        const shift = compare(a, b);
        const exact = hodgesLehmann(a, b, 0.95);
        // The median of an even number of differences may be any between the middle two.
        expect(Math.abs(shift.estimate - exact.estimate)).toBeLessThanOrEqual(2.01);
        expect(Math.abs(shift.pGreater - rankSumTest(a, b).pGreater)).toBeLessThan(0.02);
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  it('moves by what one side moves by, and so does its interval', () => {
    fc.assert(
      fc.property(values, values, fc.integer({ min: 1, max: 300 }), (a, b, by) => {
        const before = compare(a, b);
        const after = compare(
          a.map((value) => value + by),
          b,
        );
        for (const end of ['estimate', 'lower', 'upper'] as const) expect(after[end] - before[end]).toBeCloseTo(by, 1);
      }),
      { seed: 2, numRuns: 60 },
    );
  });

  it('turns its sign when the sides change places', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        const [there, back] = [compare(a, b), compare(b, a)];
        expect(there.pGreater).toBeCloseTo(back.pLess, 9);
        expect(there.lower).toBeLessThanOrEqual(-back.lower + 2.01);
      }),
      { seed: 3, numRuns: 60 },
    );
  });

  it('has the wider an interval, the fewer sessions stand behind the events', () => {
    const a = Array.from({ length: 500 }, (_, i) => i % 97);
    const many = compare(a, a, 500);
    const few = compare(a, a, 10);
    expect(few.upper - few.lower).toBeGreaterThan(3 * (many.upper - many.lower));
  });

  it.each<[string, number[], number[], object]>([
    ['equal sides differ by nothing', [1, 2, 3, 4], [1, 2, 3, 4], { estimate: 0, pLess: 0.5 }],
    ['a side that never came is above', [never, never], [1, 2], { estimate: never }],
    ['a side that came is below one that never did', [1, 2], [never, never], { estimate: -never }],
    ['two sides that never came do not differ', [never], [never, never], { estimate: 0 }],
    ['two sessions cannot bound a shift', [5, 6], [1, 2], { lower: -never, upper: never }],
  ])('%s', (_, a, b, expected) => {
    expect(compare(a, b)).toMatchObject(expected);
  });

  it('needs a value on each side', () => {
    expect(() => compare([], [1])).toThrow(RangeError);
  });
});

function compare(a: readonly number[], b: readonly number[], sessions?: number) {
  const independent = { a: sessions ?? a.length, b: sessions ?? b.length };
  return bucketedShift(bucketsOf(a), bucketsOf(b), { independent, confidence: 0.95 });
}

function bucketsOf(all: readonly number[]): Bucket[] {
  const sorted = [...new Set(all)].sort((x, y) => x - y);
  return sorted.map((value) => ({ value, count: all.filter((one) => one === value).length }));
}
