import { expect, it } from 'vitest';
import { LookSchedule } from '../../../src/server/overload/look-schedule.ts';

const tickMs = 20;

/** When it was looked at within so many ms of ticks; `says`: what is there to do at that time. */
function looks(
  forMs: number,
  says: (nowMs: number) => { heard?: boolean; waits?: boolean; scoring?: boolean },
): number[] {
  const schedule = new LookSchedule(0);
  const at: number[] = [];
  for (let nowMs = 0; nowMs < forMs; nowMs += tickMs) {
    const { heard, waits = false, scoring = false } = says(nowMs);
    if (heard) schedule.heard(nowMs);
    if (schedule.rests(nowMs) || !schedule.isDue(nowMs, waits)) continue;
    schedule.looked(nowMs, scoring);
    at.push(nowMs);
  }
  return at;
}
const between = (at: readonly number[], fromMs: number, untilMs: number) =>
  at.filter((ms) => ms >= fromMs && ms < untilMs).length;

it.each([
  ['ten times a second while it is heard', () => ({ heard: true }), 8000, 9000, 10],
  ['at each tick where something waits', () => ({ heard: true, waits: true }), 8000, 9000, 50],
  ['ten times a second in the first two seconds of silence', () => ({}), 0, 2000, 20],
  ['every half second after that', () => ({}), 4000, 8000, 8],
  ['ten times a second while results are to come', () => ({ scoring: true }), 8000, 9000, 10],
] as const)('a session is looked at %s', (_, says, fromMs, untilMs, times) => {
  const count = between(looks(10_000, says), fromMs, untilMs);
  expect(count).toBeGreaterThanOrEqual(times - 1);
  expect(count).toBeLessThanOrEqual(times + 1);
});

it('one that has rested is looked at as soon as it says something', () => {
  const said = 7000 + tickMs;
  const at = looks(8000, (nowMs) => ({ heard: nowMs === said, waits: nowMs === said }));
  expect(at).toContain(said);
  expect(between(at, said, said + 1000)).toBeGreaterThanOrEqual(9);
});
