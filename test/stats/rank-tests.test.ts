import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rankSumTest, uDistribution } from '../../src/stats/rank-sum.ts';
import { hodgesLehmann } from '../../src/stats/shift.ts';

describe('the Mann-Whitney test', () => {
  it.each([
    ['3 v 3 separated', [1, 2, 3], [4, 5, 6], 0.1],
    ['4 v 4 separated', [1, 2, 3, 4], [10, 20, 30, 40], 0.0285714],
    ['4 v 4 of two values', [1, -1, -1, -1], [-1, 1, 1, 1], 0.4857143],
    ['all tied', [7, 7, 7], [7, 7, 7], 1],
    ['one on each side', [1], [2], 1],
    ['feedback that never came ranks last', [1, 2, 3, 4], [5, 6, Infinity, Infinity], 0.0285714],
  ])('%s: p = %#', (_, a, b, p) => {
    expect(rankSumTest(a, b)).toMatchObject({ method: 'exact' });
    expect(rankSumTest(a, b).p).toBeCloseTo(p, 7);
  });

  it("agrees with R's wilcox.test on ties, beyond the exact sizes", () => {
    const a = Array.from({ length: 60 }, (_, i) => i % 7);
    const b = Array.from({ length: 60 }, (_, i) => (i % 7) + 1);
    const test = rankSumTest(a, b);
    expect(test.method).toBe('normal');
    expect(test.pLess).toBeLessThan(0.01);
    expect(test.pGreater).toBeGreaterThan(0.99);
  });

  it('counts without ties every choice of ranks', () => {
    // All 10 choices of 2 of 5 ranks, by hand: rank sums 3, 4, 5, 5, 6, 6, 7, 7, 8, 9.
    expect([...uDistribution(2, 3)].map((p) => p * 10)).toEqual([1, 2, 4, 6].map((count) => expect.closeTo(count, 12)));
    expect(rankSumTest([1, 4], [2, 3, 5])).toMatchObject({
      u: 2,
      pLess: expect.closeTo(0.4, 12),
      pGreater: expect.closeTo(0.8, 12),
    });
    expect(rankSumTest([4, 5], [1, 2, 3])).toMatchObject({ u: 6, pLess: 1, pGreater: expect.closeTo(0.1, 12) });
  });

  it('is exact with ties up to fifty a side, and soon enough', () => {
    const a = Array.from({ length: 50 }, (_, i) => i % 10);
    expect(rankSumTest(a, a)).toMatchObject({ method: 'exact', u: 1250 });
    expect(rankSumTest(a, a).p).toBe(1);
  });

  it('sees the mirror image when the samples are swapped', () => {
    const sample = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        const forward = rankSumTest(a, b);
        const backward = rankSumTest(b, a);
        expect(forward.pLess).toBeCloseTo(backward.pGreater, 10);
        expect(forward.u + backward.u).toBeCloseTo(a.length * b.length, 10);
      }),
    );
  });

  it('never finds `a` lower after one of its values rose', () => {
    const sample = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(sample, sample, fc.nat(), fc.integer({ min: 1, max: 9 }), (a, b, at, by) => {
        const raised = a.map((value, i) => (i === at % a.length ? value + by : value));
        expect(rankSumTest(raised, b).u).toBeGreaterThanOrEqual(rankSumTest(a, b).u);
      }),
    );
  });

  it.each([
    [[], [1], /needs a value on each side/],
    [[1], [Number.NaN], /cannot order NaN/],
  ])('refuses %j against %j', (a, b, message) => {
    expect(() => rankSumTest(a, b)).toThrow(message);
  });
});

describe('the Hodges-Lehmann shift', () => {
  it('is exact for four against four, as in Kayenta and R', () => {
    const shift = hodgesLehmann([10, 20, 30, 40], [1, 2, 3, 4], 0.95);
    expect(shift).toMatchObject({ estimate: 22.5, lower: 6, upper: 39 });
    expect(shift.coverage).toBeCloseTo(1 - 2 / 70, 12);
  });

  it("agrees with the root that R's wilcox.test finds where samples hold ties", () => {
    const canary = [
      0, 20.95, 30.5666666666667, 31.4, 32.1166666666667, 31.9833333333334, 31.1833333333334, 32.35, 33.25,
      32.8000000000001, 34.5166666666667, 33.4166666666667, 35.8833333333334, 35.0666666666667, 33.9,
    ];
    const baseline = [
      0, 21.9000000000001, 30.2833333333334, 29.45, 32.1, 31.1166666666667, 33.5, 32.1166666666667, 32.7, 33.85,
      32.6833333333334, 33.5166666666667, 33.6, 34.3, 33.05,
    ];
    const shift = hodgesLehmann(canary, baseline, 0.95);
    expect(shift.estimate).toBeCloseTo(0.25, 9);
    expect(shift.lower).toBeCloseTo(-1.3, 10);
    expect(shift.upper).toBeCloseTo(2.0666666667, 9);
  });

  it('agrees with Kayenta on thirty against thirty', () => {
    const shift = hodgesLehmann(kayenta.experiment, kayenta.control, 0.95);
    expect(shift.lower).toBeCloseTo(-1.05919, 5);
    expect(shift.upper).toBeCloseTo(1.09261, 5);
    expect(shift.coverage).toBeCloseTo(0.95211, 5);
    // Kayenta's root search stops at .05874: one of the points between the two middle differences, .0519 and .0895.
    expect(shift.estimate).toBeCloseTo((0.05194379774 + 0.0894609980226) / 2, 7);
  });

  it('says that three against three carry no 95 % interval', () => {
    expect(hodgesLehmann([4, 5, 6], [1, 2, 3], 0.95).coverage).toBeCloseTo(0.9, 12);
  });

  it('calls a side that mostly never came infinitely late', () => {
    const shift = hodgesLehmann([100, Infinity, Infinity, Infinity], [90, 95, 100, 105], 0.95);
    expect(shift.estimate).toBe(Infinity);
    expect(hodgesLehmann([Infinity, Infinity], [Infinity, Infinity], 0.9).estimate).toBe(0);
  });

  it('moves by exactly what is added to one side', () => {
    const sample = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(sample, sample, fc.integer({ min: -500, max: 500 }), (a, b, by) => {
        const before = hodgesLehmann(a, b, 0.9);
        const after = hodgesLehmann(
          a.map((value) => value + by),
          b,
          0.9,
        );
        expect(after.estimate).toBe(before.estimate + by);
      }),
    );
  });

  it('is the median of all differences', () => {
    const sample = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        const all = a.flatMap((x) => b.map((y) => x - y)).sort((x, y) => x - y);
        const median = (all[Math.ceil(all.length / 2) - 1]! + all[Math.floor(all.length / 2)]!) / 2;
        expect(hodgesLehmann(a, b, 0.95).estimate).toBe(median);
      }),
    );
  });
});

/** The "pass" metric of Kayenta's classifier tests, to nine digits. */
const kayenta = {
  experiment: [
    9.77673431, 10.5870719, 7.83755064, 9.32433269, 8.37745054, 8.93592644, 8.27076633, 9.74843081, 11.6237467,
    9.27534427, 8.15380477, 10.562021, 13.4981356, 11.0544193, 6.95389036, 12.5210083, 9.02163586, 4.92348567,
    11.2513602, 11.5984495, 8.4352322, 11.1102285, 10.7006338, 8.92127737, 10.0861671, 11.4210752, 9.37923478,
    7.79803201, 10.6233981, 11.9096421,
  ],
  control: [
    11.1453587, 9.96180599, 7.06857431, 7.30126618, 9.79446303, 9.60379186, 6.18677934, 12.3455992, 10.3718917,
    8.6094301, 9.91316267, 10.3613753, 14.2068004, 10.9461538, 10.2158766, 11.7397609, 10.9076275, 12.8233537,
    8.10186098, 8.49816164, 12.1134414, 13.2722108, 10.1145794, 6.94639588, 6.21052785, 10.1604017, 8.34577121,
    8.38382206, 7.00202051, 10.7557574,
  ],
};
