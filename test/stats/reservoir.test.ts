import { expect, it } from 'vitest';
import { createRandom } from '../../src/stats/random.ts';
import { Reservoir } from '../../src/stats/reservoir.ts';

function sampleOf(length: number, size: number, seed: number): number[] {
  const reservoir = new Reservoir(size, createRandom(seed).uniform);
  const kept: number[] = [];
  for (let item = 0; item < length; item++) if (reservoir.wants()) kept[reservoir.place()] = item;
  expect(reservoir.seen).toBe(length);
  return kept;
}

it.each([
  ['shorter than the sample', 7, 10, 7],
  ['as long as the sample', 10, 10, 10],
  ['longer', 1000, 10, 10],
])('a stream %s leaves that many different items', (_, length, size, expected) => {
  const kept = sampleOf(length, size, 3);
  expect(new Set(kept).size).toBe(expected);
});

it('chooses each item as often as any other', () => {
  const [length, size, rounds] = [60, 15, 1200];
  const counts = new Array<number>(length).fill(0);
  for (let seed = 0; seed < rounds; seed++) for (const item of sampleOf(length, size, seed)) counts[item]! += 1;
  const expected = (rounds * size) / length;
  const chiSquared = counts.reduce((sum, count) => sum + (count - expected) ** 2 / (expected * (1 - size / length)), 0);
  // Of 59 degrees of freedom: above 99 once in a thousand.
  expect(chiSquared).toBeLessThan(99);
});
