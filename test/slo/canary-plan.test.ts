import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allowedBad, type BurnRule, chanceOfOneWindow, chanceToTrip, hasTripped } from '../../src/slo/burn-rule.ts';
import { eventsToTell } from '../../src/slo/canary-plan.ts';

const window: BurnRule = { target: 0.99, burn: 2, mode: 'window', intervals: 10 };
const consecutive: BurnRule = { ...window, mode: 'consecutive' };

describe('"burn above 2 for 10 minutes", at 99 % and 60 events a minute', () => {
  it('allows 12 bad of 600: one look rolls back wrongly .008492 of the time and finds 4x .9953', () => {
    expect(allowedBad(window, 600)).toBe(12);
    expect(chanceOfOneWindow(window, 600, 0.01)).toBeCloseTo(0.008492, 6);
    expect(chanceOfOneWindow(window, 600, 0.04)).toBeCloseTo(0.9953, 4);
  });

  it('as a trailing window looked at each minute rolls back wrongly in about one hour of seven, and finds 4x', () => {
    const hour = chanceToTrip(window, 60, 0.01, 60);
    // A published figure of 13.2 % came from a small simulation; 51 looks at binomial minutes give 14.2 %.
    expect(hour.value).toBeCloseTo(0.142, 2);
    expect(hour.standardError).toBeLessThan(0.001);
    expect(chanceToTrip(window, 60, 0.04, 30).value).toBeGreaterThan(0.999);
  });

  it('as ten minutes in a row never rolls back wrongly, and misses 4x in 30 minutes four times of five', () => {
    expect(chanceToTrip(consecutive, 60, 0.01, 60).value).toBeLessThan(1e-6);
    expect(chanceToTrip(consecutive, 60, 0.04, 30)).toEqual({ value: expect.closeTo(0.1874, 4), standardError: 0 });
  });
});

console.log(
  chanceToTrip(window, 60, 0.01, 60),
  chanceToTrip(consecutive, 60, 0.04, 30),
  chanceToTrip(consecutive, 60, 0.01, 60),
);
describe('the events that tell 1x from 2x with alpha .01 and power .8', () => {
  it.each([
    [0.05, 267],
    [0.01, 1398],
    [0.001, 13996],
  ])('for a budget of %d: %d', (fine, events) => {
    expect(eventsToTell(fine, 2 * fine, 0.01, 0.8)).toBe(events);
  });
});
