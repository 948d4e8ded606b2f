import { expect, it } from 'vitest';
import { LaneQueue } from '../../../src/scoring/threads/lane-queue.ts';

/** A queue on a clock that each step moves on by a millisecond, and the steps that were done, by speaker. */
function queueOf(turnMs: number) {
  const clock = { nowMs: 0 };
  const done: string[] = [];
  const queue = new LaneQueue({ turnMs, now: () => clock.nowMs });
  const add = (speaker: string, steps: number, canWait = false): void => {
    let left = steps;
    const step = () => {
      clock.nowMs += 1;
      done.push(speaker);
      return --left > 0;
    };
    queue.add(speaker, { step }, canWait);
  };
  return { queue, add, told: () => done.join('') };
}

it.each<[string, live: number, patient: number, forMs: number, expected: string]>([
  ['what can wait comes behind all others', 4, 3, 100, 'aaaabbb'],
  ['it has one turn while others have more to do', 9, 9, 4, 'aaaabb'],
  ['it has the time that is left', 2, 9, 6, 'aabbbb'],
  ['it has all of it where nobody else is there', 0, 5, 100, 'bbbbb'],
])('%s', (_, live, patient, forMs, expected) => {
  const { queue, add, told } = queueOf(2);
  add('b', patient, true);
  if (live > 0) add('a', live);
  queue.run(forMs);
  expect(told()).toBe(expected);
});

it('goes on with what can wait however much the others have', () => {
  const { queue, add, told } = queueOf(1);
  add('b', 5, true);
  add('a', 1000);
  for (let i = 0; i < 5; i++) queue.run(3);
  expect(told().replaceAll('a', '')).toBe('bbbbb');
  expect(queue.isEmpty).toBe(false);
});

it('does what a speaker wants in the order of asking when that can wait from now on', () => {
  const { queue, add, told } = queueOf(2);
  for (const speaker of ['b', 'a', 'a']) add(speaker, 2);
  queue.defer('b');
  queue.defer('nobody');
  // What it asks for as if it could not wait is not done before what can.
  add('b', 1);
  add('a', 2);
  queue.run(100);
  expect(told()).toBe('aaaaaabbb');
  expect(queue.isEmpty).toBe(true);
  add('b', 1);
  add('a', 1);
  queue.run(100);
  expect(told()).toBe('aaaaaabbbba');
});
