import { expect, it } from 'vitest';
import { AwakeClock } from '../../../src/server/overload/awake-clock.ts';

it.each([
  ['on time', [20, 40, 60], 60],
  ['late, as those of a busy server do', [300, 700, 1100], 1100],
  ['after it stood still for ten seconds', [20, 10_020, 10_040], 540],
  ['after it stood still twice', [2000, 2020, 5020], 1020],
])('its ticks come %s', (_, ticksMs, expected) => {
  let nowMs = 0;
  const clock = new AwakeClock(() => nowMs);
  for (const atMs of ticksMs) {
    nowMs = atMs;
    // Who asks before the tick finds the same.
    const before = clock.ms;
    clock.tick();
    expect(clock.ms).toBe(before);
  }
  expect(clock.ms).toBe(expected);
});

it('never goes back, whenever it is asked', () => {
  let nowMs = 0;
  const clock = new AwakeClock(() => nowMs);
  let last = 0;
  for (const stepMs of [10, 490, 3, 600, 1, 20, 5000, 0, 20]) {
    nowMs += stepMs;
    expect(clock.ms).toBeGreaterThanOrEqual(last);
    last = clock.ms;
    if (stepMs > 15) clock.tick();
  }
});
