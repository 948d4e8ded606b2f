import { expect, it } from 'vitest';
import { HungThreads } from '../../../src/scoring/threads/hung-threads.ts';

/** Looks each second at a thread that owes a word since `owesSinceMs`; when it was ended, s. */
function endedAt(owesSinceMs: number | undefined, looksMs: readonly number[], spokeMs = Number.NaN): number[] {
  let nowMs = 0;
  const ended: number[] = [];
  const thread = {
    silentMs: (atMs: number) => (owesSinceMs === undefined ? 0 : atMs - (spokeMs <= atMs ? spokeMs : owesSinceMs)),
    kill: () => void ended.push(nowMs / 1000),
  };
  const hung = new HungThreads([thread], 5000);
  for (const lookMs of looksMs) {
    nowMs = lookMs;
    hung.look(lookMs);
  }
  return ended;
}

const eachSecond = Array.from({ length: 9 }, (_, i) => i * 1000);

it.each([
  ['is left alone while it owes nothing', undefined, eachSecond, undefined, []],
  ['is ended when it was silent at every look for 5 s', -500, eachSecond, undefined, [5]],
  ['is left alone when it speaks in between', -500, eachSecond, 4900, []],
  ['is not blamed for a pause of the whole process', -500, [0, 1000, 61_000, 61_010], undefined, []],
])('a thread %s', (_, owesSinceMs, looksMs, spokeMs, seconds) => {
  expect(endedAt(owesSinceMs, looksMs, spokeMs)).toEqual(seconds);
});
