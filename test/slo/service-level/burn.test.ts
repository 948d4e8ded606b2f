import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  budgetSpent,
  burnForBudget,
  burnRate,
  canFire,
  detectionTimeMs,
  eventsToCarryOneFailure,
  largestBurn,
  smallestTarget,
  timeToExhaustionMs,
} from '../../../src/slo/service-level/burn.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

describe('burn rates', () => {
  it.each([
    [0.02, hour, 30 * day, 14.4],
    [0.05, 6 * hour, 30 * day, 6],
    [0.1, day, 30 * day, 3],
    [0.1, 3 * day, 30 * day, 1],
    [0.02, hour, 28 * day, 13.44],
    [0.02, hour, 7 * day, 3.36],
  ])('%d of the budget in %d ms of %d ms is a burn of %d', (share, window, period, burn) => {
    expect(burnForBudget(share, window, period)).toBeCloseTo(burn, 10);
    expect(budgetSpent(burn, window, period)).toBeCloseTo(share, 10);
  });

  it.each([
    [0.001, 0.999, 1],
    [0.02, 0.99, 2],
    [0, 0.99, 0],
    [1, 0.5, 2],
  ])('a share of %d bad at %d burns %d times the budget', (badShare, target, burn) => {
    expect(burnRate(badShare, target)).toBeCloseTo(burn, 10);
  });

  it.each([
    [0.999, 1, 0.864],
    [0.999, 0.1, 8.64],
    [0.99, 1, 8.64],
    [0.9995, 0.5, 0.864],
  ])('at %d an incident of %d bad is seen by 14.4x over 1h after %d min', (target, badShare, minutes) => {
    expect(detectionTimeMs({ burn: 14.4, longMs: hour }, target, badShare)).toBeCloseTo(minutes * minute, 6);
  });

  it('never sees an incident that burns below the alert', () => {
    expect(detectionTimeMs({ burn: 14.4, longMs: hour }, 0.999, 0.0144)).toBe(Infinity);
    expect(detectionTimeMs({ burn: 14.4, longMs: hour }, 0.999, 0.0145)).toBeLessThan(hour);
    // Just at its burn it is never above it.
    expect(detectionTimeMs({ burn: 1, longMs: hour }, 0.5, 0.5)).toBe(Infinity);
  });

  it('fires at 14.4x only above 93.06 %', () => {
    expect(smallestTarget(14.4)).toBeCloseTo(0.9306, 4);
    expect(canFire(14.4, 0.9305)).toBe(false);
    expect(canFire(14.4, 0.9306)).toBe(true);
    expect(canFire(10, 0.9)).toBe(false);
    expect(largestBurn(0.999)).toBeCloseTo(1000, 6);
  });

  it.each([
    [14.4, 0.999, 70],
    [6, 0.999, 167],
    [1, 0.99, 100],
    [2, 0.5, 1],
  ])('at a burn of %d and %d fewer than %d events let one failure fire', (burn, target, events) => {
    expect(eventsToCarryOneFailure(burn, target)).toBe(events);
    expect(burnRate(1 / events, target)).toBeLessThanOrEqual(burn * (1 + 1e-9));
  });

  it('empties what is left of the budget in left x period / burn, and never at a burn of 1', () => {
    expect(timeToExhaustionMs(0.5, 10, 30 * day)).toBe(1.5 * day);
    expect(timeToExhaustionMs(0.5, 1, 30 * day)).toBe(Infinity);
    expect(timeToExhaustionMs(-0.1, 1, 30 * day)).toBe(0);
    expect(timeToExhaustionMs(0, 0.5, 30 * day)).toBe(0);
  });

  it('is seen sooner the worse it is', () => {
    const share = fc.double({ min: 0.001, max: 1, noNaN: true });
    fc.assert(
      fc.property(share, share, (a, b) => {
        const seen = (badShare: number) => detectionTimeMs({ burn: 6, longMs: hour }, 0.995, badShare);
        expect(seen(Math.max(a, b))).toBeLessThanOrEqual(seen(Math.min(a, b)));
      }),
    );
  });
});
