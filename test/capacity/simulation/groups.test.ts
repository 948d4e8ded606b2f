import { expect, it } from 'vitest';
import { learnersInGroups } from '../../../src/capacity/simulation/groups.ts';

const class40 = { duty: 0.4, turnMs: 60_000 };
const minuteMs = 60_000;

it.each<[string, number[], number, number[]]>([
  ['nobody', [0], 60, [1]],
  ['one learner', [1], 60, [1]],
  ['20,000 for a day: 11.5 million turns', [20_000], 24 * 60, [1]],
  ['40,000 for a day', [40_000], 24 * 60, [2]],
  ['4,000,000 for an hour: 97.6 million turns', [4_000_000], 60, [5]],
  ['4,000,000 for a day', [4_000_000], 24 * 60, [116]],
  ['a small region beside a large one is played one by one', [4_000_000, 1000], 60, [10, 1]],
  ['two halves of them', [2_000_000, 2_000_000], 60, [5, 5]],
])('%s', (_, users, minutes, groups) => {
  const curves = users.map((each) => () => each);
  expect(learnersInGroups(curves, { ...class40, durationMs: minutes * minuteMs })).toEqual(groups);
});

it('counts the turns of those who come, however seldom they speak afterwards', () => {
  const come = (atMs: number) => (atMs < minuteMs ? 0 : 100_000_000);
  expect(learnersInGroups([come], { duty: 0.4, turnMs: 3_600_000, durationMs: 61_000 })).toEqual([3]);
});
