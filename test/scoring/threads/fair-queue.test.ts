import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FairQueue } from '../../../src/scoring/threads/fair-queue.ts';

/** A queue on a clock that each step moves on, and the steps that were done, by name. */
function queueOf(turnMs: number) {
  const clock = { nowMs: 0 };
  const done: string[] = [];
  const queue = new FairQueue({ turnMs, now: () => clock.nowMs });
  const add = (speaker: string, steps: number, stepMs = 1, name = speaker): void => {
    let left = steps;
    queue.add(speaker, {
      step() {
        clock.nowMs += stepMs;
        done.push(name);
        return --left > 0;
      },
    });
  };
  return { clock, done, queue, add };
}

describe('speakers who all have something to do', () => {
  it('have turns one after the other, however much one of them has', () => {
    const { queue, add, done } = queueOf(2);
    add('a', 6);
    add('b', 1);
    add('c', 3);
    queue.run(100);
    expect(done.join('')).toBe('aabccaacaa');
    expect(queue.isEmpty).toBe(true);
  });

  it('have what they asked for in the order of asking', () => {
    const { queue, add, done } = queueOf(1);
    add('a', 2, 1, 'a1');
    add('b', 1);
    add('a', 1, 1, 'a2');
    queue.run(100);
    expect(done).toEqual(['a1', 'b', 'a1', 'a2']);
  });

  it('are served at once where a turn has room', () => {
    const { queue, add, done } = queueOf(10);
    for (const name of 'abc') add(name, 3);
    queue.run(100);
    expect(done.join('')).toBe('aaabbbccc');
  });
});

describe('a run', () => {
  it('ends when its time is over; who comes meanwhile waits for a turn of each of the others', () => {
    const { queue, add, done } = queueOf(2);
    add('a', 9);
    add('b', 9);
    queue.run(4);
    expect(done.join('')).toBe('aabb');
    add('late', 1);
    queue.run(4);
    expect(done.slice(4)).toEqual(['a', 'a', 'b', 'b']);
    queue.run(4);
    expect(done.slice(8)).toEqual(['late', 'a', 'a', 'b', 'b']);
  });

  it('gives somebody a turn even without time', () => {
    const { queue, add, done } = queueOf(2);
    add('a', 3, 5);
    queue.run(0);
    expect(done).toEqual(['a']);
    expect(queue.isEmpty).toBe(false);
  });

  it('does nothing where nothing is asked', () => {
    const { queue, done } = queueOf(2);
    queue.run(5);
    expect(done).toEqual([]);
  });
});

it('makes nobody wait for more than a turn of each of the others, and loses nothing', () => {
  const ask = fc.record({ speaker: fc.constantFrom('a', 'b', 'c', 'd'), steps: fc.integer({ min: 1, max: 200 }) });
  const law = fc.property(fc.array(ask, { maxLength: 30 }), fc.integer({ min: 0, max: 9 }), (asks, runMs) => {
    const { queue, add, done } = queueOf(3);
    for (const { speaker, steps } of asks) add(speaker, steps);
    for (let rounds = 0; !queue.isEmpty; rounds++) {
      queue.run(runMs);
      expect(rounds).toBeLessThan(7000);
    }
    const wanted = new Map<string, number>();
    for (const { speaker, steps } of asks) wanted.set(speaker, (wanted.get(speaker) ?? 0) + steps);
    for (const [speaker, steps] of wanted) {
      const places = done.flatMap((name, at) => (name === speaker ? [at] : []));
      expect(places).toHaveLength(steps);
      // Between two steps of one speaker lies at most a turn of each of the other three.
      expect(Math.max(0, ...places.slice(1).map((place, i) => place - places[i]!))).toBeLessThanOrEqual(10);
    }
  });
  fc.assert(law, { numRuns: 50, seed: 12 });
});
