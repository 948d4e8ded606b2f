import { describe, expect, it } from 'vitest';
import { choose, mixPoint } from '../../../src/load/plan/mix.ts';

const networks = [
  { name: 'LTE', weight: 6 },
  { name: '4G', weight: 3 },
  { name: 'Edge', weight: 1 },
];
const clips = [
  { name: 'en', weight: 0.5 },
  { name: 'de', weight: 0.5 },
];
const networkOf = (learner: number, seed = 1) => choose(networks, mixPoint(seed, learner).network)!.name;
const clipsOf = (learner: number, seed = 1) => choose(clips, mixPoint(seed, learner).clips)!.name;
const learners = (from: number, count: number) => Array.from({ length: count }, (_, k) => from + k);

describe('a mix', () => {
  it.each([0, 17, 400, 99_000])('has its proportions among any fifty learners in a row, from %d on', (from) => {
    const names = learners(from, 50).map((learner) => networkOf(learner));
    const count = (name: string) => names.filter((one) => one === name).length;
    expect(Math.abs(count('LTE') - 30)).toBeLessThanOrEqual(2);
    expect(Math.abs(count('4G') - 15)).toBeLessThanOrEqual(2);
    expect(Math.abs(count('Edge') - 5)).toBeLessThanOrEqual(2);
  });

  it('is independent of another mix: every pair comes in the product of its shares', () => {
    const pairs = learners(0, 1000).map((learner) => `${networkOf(learner)} ${clipsOf(learner)}`);
    const count = (pair: string) => pairs.filter((one) => one === pair).length;
    expect(Math.abs(count('LTE en') - 300)).toBeLessThanOrEqual(15);
    expect(Math.abs(count('Edge de') - 50)).toBeLessThanOrEqual(10);
  });

  it('has its proportions in each shard too', () => {
    for (const shard of [0, 1, 2, 3]) {
      const mine = learners(0, 400).filter((learner) => learner % 4 === shard);
      const lte = mine.filter((learner) => networkOf(learner) === 'LTE').length;
      expect(Math.abs(lte - 60)).toBeLessThanOrEqual(5);
    }
  });

  it('gives other learners to another seed', () => {
    const names = (seed: number) => learners(0, 20).map((learner) => networkOf(learner, seed));
    expect(names(1)).toEqual(names(1));
    expect(names(1)).not.toEqual(names(2));
  });

  it('of nothing has nothing', () => {
    expect(choose([], 0.5)).toBeUndefined();
  });
});
