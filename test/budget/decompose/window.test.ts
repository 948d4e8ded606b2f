import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gatherWindow, reachOf, WeightedSum } from '../../../src/budget/decompose/window.ts';
import { sampleOf } from '../../../src/budget/sample/sample.ts';

describe('a window of traces', () => {
  const sample = sampleOf(
    [
      { name: 'a', ms: Float64Array.of(5, 1, 3, 9) },
      { name: 'b', ms: Float64Array.of(10, 20, 30, 40) },
    ],
    Float64Array.of(1, 0, 2, 0),
  );
  const sorted = sample.totals.slice().sort();

  it('reaches five bandwidths, both ends within', () => {
    const ascending = Float64Array.of(0, 9.9, 10, 20, 30, 30.1);
    expect(reachOf(ascending, 20, 2)).toEqual({ from: 2, to: 5 });
    expect(reachOf(ascending, 20, 0)).toEqual({ from: 3, to: 4 });
    expect(reachOf(ascending, 25, 0)).toEqual({ from: 4, to: 4 });
  });

  it.each([
    [16, 35, 0, [0, 1, 2], [5, 10, 1, 1, 20, 0, 3, 30, 2]],
    [17, 34, 1, [1], [1, 20, 0]],
    [21, 49, 1, [1, 2, 3], [1, 20, 0, 3, 30, 2, 9, 40, 0]],
    [50, 60, 4, [], []],
  ])('from %i to %i ms begins at %i and has these rows', (low, high, first, indices, rows) => {
    const window = gatherWindow(sample, sorted, low, high);
    expect([window.first, window.width]).toEqual([first, 3]);
    expect([...window.indices]).toEqual(indices);
    expect([...window.rows]).toEqual(rows);
    expect([...window.totals]).toEqual(indices.map((i) => sample.totals[i]));
  });

  it('is in the order of totals, not of the traces', () => {
    const reversed = sampleOf([{ name: 'a', ms: Float64Array.of(7, 5, 6) }]);
    expect([...gatherWindow(reversed, reversed.totals.slice().sort(), 0, 9).indices]).toEqual([1, 2, 0]);
  });

  it('gives what each stage has at the percentile where stages are lines of the total', () =>
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 3, maxLength: 30 }),
        fc.double({ min: 0.1, max: 0.9, noNaN: true }),
        fc.integer({ min: 0, max: 2 }),
        (values, share, extra) => {
          const totals = [...values, 0, 1000].sort((x, y) => x - y);
          const lines = sampleOf([
            { name: 'a', ms: Float64Array.from(totals, (total) => 3 + share * total) },
            { name: 'b', ms: Float64Array.from(totals, (total) => (1 - share) * total - 3) },
          ]);
          const ordered = lines.totals.slice().sort();
          const window = gatherWindow(lines, ordered, -1, 2000);
          const sum = new WeightedSum(window, 400, 500);
          for (let i = 0; i < totals.length; i++) sum.add(i, 1 + (i === 0 ? extra : 0));
          const [a, b, rest] = sum.contributions();
          expect(a).toBeCloseTo(3 + share * 400, 5);
          expect(b).toBeCloseTo((1 - share) * 400 - 3, 5);
          expect(rest).toBeCloseTo(0, 5);
        },
      ),
    ));

  it('gives the mean where all totals near are one', () => {
    const alike = sampleOf([
      { name: 'a', ms: Float64Array.of(2, 6, 4) },
      { name: 'b', ms: Float64Array.of(8, 4, 6) },
    ]);
    const window = gatherWindow(alike, alike.totals, 0, 100);
    const sum = new WeightedSum(window, 10, 0);
    sum.add(0, 2);
    sum.add(1);
    sum.add(2);
    expect([...sum.contributions()].map((ms) => Number(ms.toFixed(9)))).toEqual([3.5, 6.5, 0]);
    expect([...new WeightedSum(window, 10, 0).contributions()]).toEqual([0, 0, 0]);
  });
});
