import { expect, it } from 'vitest';
import { Heartbeat } from '../../../src/server/gateway/heartbeat.ts';

/** When a socket was pinged within a minute, and when it was given up; it answers as long as `answers` says. */
function beats(openedMs: number, answers: (atMs: number) => boolean) {
  const heartbeat = new Heartbeat(15_000, openedMs);
  const pings: number[] = [];
  for (let nowMs = openedMs; nowMs < 60_000; nowMs += 20) {
    if (answers(nowMs)) heartbeat.heard();
    if (!heartbeat.isDue(nowMs)) continue;
    if (!heartbeat.begin(nowMs)) return { pings, cutMs: nowMs };
    pings.push(nowMs);
  }
  return { pings };
}

it.each([
  ['opened at once', 0, () => true, { pings: [15_000, 30_000, 45_000] }],
  ['opened later is pinged later', 700, () => true, { pings: [15_700, 30_700, 45_700] }],
  ['that never says anything is cut at the second', 0, () => false, { pings: [15_000], cutMs: 30_000 }],
  ['that falls silent', 0, (at: number) => at <= 31_000, { pings: [15_000, 30_000, 45_000] }],
  ['that fell silent before a ping', 0, (at: number) => at < 30_000, { pings: [15_000, 30_000], cutMs: 45_000 }],
])('a socket %s', (_, openedMs, answers, expected) => {
  expect(beats(openedMs, answers)).toEqual(expected);
});

it('a thousand that come within a second are pinged at fifty times', () => {
  const first = Array.from({ length: 1000 }, (_, i) => beats(Math.floor(i / 20) * 20, () => true).pings[0]!);
  const counts = new Map<number, number>();
  for (const at of first) counts.set(at, (counts.get(at) ?? 0) + 1);
  expect(Math.max(...counts.values())).toBe(20);
});
