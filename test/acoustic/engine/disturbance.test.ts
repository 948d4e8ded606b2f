import { describe, expect, it } from 'vitest';
import { Disturbance } from '../../../src/acoustic/engine/disturbance.ts';

describe('what a load test does to runs', () => {
  it('is nothing until it is asked for', () => {
    const none = new Disturbance();
    expect(() => none.beforeRun()).not.toThrow();
    expect(none.delayOf(0, 10)).toBe(0);
  });

  it('lets one run fail, and the next ones not', () => {
    const failing = new Disturbance();
    failing.begin({ action: 'fail' }, 0);
    expect(() => failing.beforeRun()).toThrow('by fault injection');
    expect(() => failing.beforeRun()).not.toThrow();
  });

  it.each([
    ['that ends in time takes so many times as long', 1000, 1010, 20],
    ['that ends at the end is left alone', 1990, 2000, 0],
    ['that ends later is left alone', 2500, 2510, 0],
  ])('slows runs down for a time: one %s', (_, startMs, endMs, longerMs) => {
    const slow = new Disturbance();
    slow.begin({ action: 'slow', ms: 1000, times: 3 }, 1000);
    expect(slow.delayOf(startMs, endMs)).toBe(longerMs);
  });

  it('is what was asked for last', () => {
    const slow = new Disturbance();
    slow.begin({ action: 'slow', ms: 1000, times: 3 }, 0);
    slow.begin({ action: 'slow', ms: 10, times: 5 }, 0);
    expect(slow.delayOf(0, 5)).toBe(20);
    expect(slow.delayOf(10, 15)).toBe(0);
  });
});
