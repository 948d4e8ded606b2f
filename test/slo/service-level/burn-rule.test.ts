import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  allowedBad,
  type BurnRule,
  chanceOfOneWindow,
  chanceToTrip,
  hasTripped,
} from '../../../src/slo/service-level/burn-rule.ts';

const window: BurnRule = { target: 0.99, burn: 2, mode: 'window', intervals: 10 };
const consecutive: BurnRule = { ...window, mode: 'consecutive' };

describe('the rule on a history', () => {
  const minute = (bad: number) => ({ bad, total: 60 });
  it.each([
    ['thirteen bad in one minute', [13, ...Array(9).fill(0)], true, false],
    ['twelve bad in one minute', [12, ...Array(20).fill(0)], false, false],
    ['two bad every minute', Array(10).fill(2), true, true],
    ['two bad every minute but one', [...Array(9).fill(2), 0, ...Array(9).fill(1)], true, false],
    ['nothing', Array(30).fill(0), false, false],
    ['too short', Array(9).fill(60), false, false],
  ] as [string, number[], boolean, boolean][])('of %s', (_, bad, asWindow, asConsecutive) => {
    expect(hasTripped(window, bad.map(minute))).toBe(asWindow);
    expect(hasTripped(consecutive, bad.map(minute))).toBe(asConsecutive);
  });

  it('never untrips when one more event is bad', () => {
    const history = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 10, maxLength: 25 });
    fc.assert(
      fc.property(history, fc.nat(), fc.constantFrom(window, consecutive), (bad, at, rule) => {
        const worse = bad.map((count, i) => (i === at % bad.length ? count + 1 : count));
        if (hasTripped(rule, bad.map(minute))) expect(hasTripped(rule, worse.map(minute))).toBe(true);
      }),
    );
  });
});

describe('the rule by its definition', () => {
  it.each([
    [0.99, 2, 600, 12],
    [0.9, 1, 30, 3],
    [0.99, 2, 49, 0],
    [0.99, 2, 50, 1],
    [0.99, 2, 0, 0],
  ])('at %d and a burn of %d allows of %d events %d', (target, burn, total, allowed) => {
    expect(allowedBad({ target, burn }, total)).toBe(allowed);
  });

  it('is what every window, or every run of intervals, says by itself', () => {
    const interval = fc
      .tuple(fc.integer({ min: 0, max: 60 }), fc.double({ min: 0, max: 0.1, noNaN: true }))
      .map(([total, share]) => ({ total, bad: Math.ceil(total * share) }));
    const rules = fc.record({
      mode: fc.constantFrom('window', 'consecutive'),
      intervals: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(fc.array(interval, { maxLength: 9 }), rules, (history, { mode, intervals }) => {
        const above = (part: typeof history) => {
          const total = part.reduce((sum, one) => sum + one.total, 0);
          const bad = part.reduce((sum, one) => sum + one.bad, 0);
          return bad > Math.floor(total * 0.02 + 1e-9);
        };
        const windows = history
          .map((_, end) => history.slice(Math.max(0, end + 1 - intervals), end + 1))
          .filter((part) => part.length === intervals);
        const expected = windows.some((part) => (mode === 'window' ? above(part) : part.every((one) => above([one]))));
        expect(hasTripped({ target: 0.99, burn: 2, mode: mode as BurnRule['mode'], intervals }, history)).toBe(
          expected,
        );
      }),
      { numRuns: 400 },
    );
  });

  it('is not above a burn where there are no events, however many were bad', () => {
    expect(hasTripped({ ...window, intervals: 1 }, [{ bad: 1, total: 0 }])).toBe(false);
    expect(hasTripped({ ...window, intervals: 1 }, [{ bad: 1, total: 1 }])).toBe(true);
  });

  /** By the length of the present run, from its last interval backwards. */
  const runs = (p: number, length: number, trials: number): number => {
    if (trials < length) return 0;
    if (trials === length) return p ** length;
    const before = runs(p, length, trials - 1);
    return before + (1 - runs(p, length, trials - length - 1)) * (1 - p) * p ** length;
  };
  it.each([
    [1, 1],
    [1, 4],
    [2, 2],
    [2, 7],
    [3, 9],
  ])('%d in a row within %d intervals has the chance of a run', (length, intervals) => {
    const rule = { ...consecutive, intervals: length };
    const above = chanceOfOneWindow(rule, 60, 0.02);
    const { value, standardError } = chanceToTrip(rule, 60, 0.02, intervals);
    expect(value).toBeCloseTo(runs(above, length, intervals), 12);
    expect(standardError).toBe(0);
  });

  it.each([
    ['as many runs as are worth it', 0, 10, 200_000, 0],
    ['fewer of long ones', 1, 120, 100_000, 1],
    ['but never too few', 1, 1200, 20_000, 1],
  ])('simulates %s', (_, badShare, intervals, count, value) => {
    const near = (value * count + 1) / (count + 2);
    expect(chanceToTrip(window, 60, badShare, intervals)).toEqual({
      value,
      standardError: expect.closeTo(Math.sqrt((near * (1 - near)) / count), 12),
    });
  });

  it.each(['window', 'consecutive'] as const)('of a %s never trips without a whole event an interval', (mode) => {
    expect(chanceToTrip({ ...window, mode }, 0.9, 1, 20)).toEqual({ value: 0, standardError: 0 });
    expect(chanceToTrip({ ...window, mode }, 1, 1, 10).value).toBe(1);
  });
});

describe('"burn above 2 for 10 minutes", at 99 % and 60 events a minute', () => {
  it('allows 12 bad of 600: one look rolls back wrongly .008492 of the time and finds 4x .9953', () => {
    expect(allowedBad(window, 600)).toBe(12);
    expect(chanceOfOneWindow(window, 600, 0.01)).toBeCloseTo(0.008492, 6);
    expect(chanceOfOneWindow(window, 600, 0.04)).toBeCloseTo(0.9953, 4);
  });

  it('as a trailing window looked at each minute rolls back wrongly in one hour of seven, and finds 4x', () => {
    const hour = chanceToTrip(window, 60, 0.01, 60);
    // .14295 by enumerating all 293,930 histories of nine minutes with at most twelve bad events.
    expect(Math.abs(hour.value - 0.142953)).toBeLessThan(4 * hour.standardError);
    expect(hour.standardError).toBeLessThan(0.001);
    const halfHour = chanceToTrip(window, 60, 0.01, 30);
    expect(Math.abs(halfHour.value - 0.065226)).toBeLessThan(4 * halfHour.standardError);
    expect(chanceToTrip(window, 60, 0.04, 30).value).toBeGreaterThan(0.999);
  });

  it('as ten minutes in a row never rolls back wrongly, and misses 4x in 30 minutes four times of five', () => {
    expect(chanceToTrip(consecutive, 60, 0.01, 60).value).toBeCloseTo(3.08e-8, 10);
    expect(chanceToTrip(consecutive, 60, 0.04, 30)).toEqual({ value: expect.closeTo(0.1874, 5), standardError: 0 });
  });

  it('says nothing before the window has passed', () => {
    expect(chanceToTrip(window, 60, 0.5, 9).value).toBe(0);
    expect(chanceToTrip(consecutive, 60, 0.5, 9).value).toBe(0);
    expect(chanceToTrip(window, 60, 0.5, 10).value).toBeGreaterThan(0.99);
  });

  it('agrees with the exact chance where windows do not overlap', () => {
    const once = chanceToTrip(window, 60, 0.02, 10);
    expect(Math.abs(once.value - chanceOfOneWindow(window, 600, 0.02))).toBeLessThan(4 * once.standardError);
  });

  it('trips more often the worse the canary and the longer the step', () => {
    for (const mode of ['window', 'consecutive'] as const) {
      const chance = (bad: number, minutes: number) => chanceToTrip({ ...window, mode }, 60, bad, minutes).value;
      expect(chance(0.03, 30)).toBeGreaterThan(chance(0.02, 30));
      expect(chance(0.03, 60)).toBeGreaterThan(chance(0.03, 20));
    }
  });
});
