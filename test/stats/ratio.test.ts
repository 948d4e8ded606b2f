import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/stats/random.ts';
import { type ClusterPart, ratioInterval, ratioShift } from '../../src/stats/ratio.ts';

const exact = { oneMore: false };
const counted = { oneMore: true };

describe('a ratio over clusters', () => {
  it('of clusters of one size is the mean with its interval by Student', () => {
    // Mean 3, sd 1.581, n 5: 3 +- 2.7764 x 1.5811 / sqrt 5.
    const found = ratioInterval(
      [1, 2, 3, 4, 5].map((count) => ({ count, of: 1 })),
      0.95,
      exact,
    );
    expect(found.value).toBe(3);
    expect(found.upper).toBeCloseTo(3 + (2.776445 * Math.sqrt(2.5)) / Math.sqrt(5), 4);
    expect(found.lower).toBeCloseTo(3 - (2.776445 * Math.sqrt(2.5)) / Math.sqrt(5), 4);
  });

  it('has an interval too where nothing was counted, and none where nothing may have been', () => {
    const none = Array.from({ length: 20 }, () => ({ count: 0, of: 100 }));
    expect(ratioInterval(none, 0.95, exact)).toEqual({ value: 0, lower: 0, upper: 0 });
    const { lower, upper } = ratioInterval(none, 0.95, counted);
    expect(upper).toBeCloseTo((2.093024 * Math.sqrt(2 * (20 / 19))) / 2000, 6);
    expect(lower).toBeCloseTo(-upper, 12);
  });

  it('is without end where one cluster is nearly all', () => {
    for (const clusters of [
      [{ count: 3, of: 10 }],
      [
        { count: 3, of: 1e6 },
        { count: 1, of: 1 },
      ],
    ])
      expect(ratioInterval(clusters, 0.95, counted)).toMatchObject({ lower: -Infinity, upper: Infinity });
    const other = Array.from({ length: 9 }, (_, i) => ({ count: i, of: 10 }));
    expect(ratioShift([{ count: 3, of: 10 }], other, 0.95, exact)).toMatchObject({ lower: -Infinity, upper: Infinity });
    expect(() => ratioInterval([], 0.95, exact)).toThrow(RangeError);
  });
});

/** Learners whose chance of a wrong word differs, with texts of different lengths. */
function drawnLearners(random: ReturnType<typeof createRandom>, learners: number) {
  return Array.from({ length: learners }, () => {
    const words = 20 + Math.floor(random.uniform() * 180);
    const chance = 0.1 * Math.exp(random.normal() * 0.6);
    const wrongOf = (factor: number) => {
      let wrong = 0;
      for (let word = 0; word < words; word++) if (random.uniform() < Math.min(0.9, chance * factor)) wrong++;
      return wrong;
    };
    return { words, wrongOf };
  });
}

describe('covers the truth as often as it says, in simulated logs', () => {
  const replicates = 400;
  /** The least share of 400 that a true 95 % shows but once in a thousand times. */
  const least = 0.915;

  it.each([20, 60, 200])('paired, %i learners whose backends are alike', (learners) => {
    const random = createRandom(41 + learners);
    let covered = 0;
    for (let replicate = 0; replicate < replicates; replicate++) {
      const parts: ClusterPart[] = drawnLearners(random, learners).map(({ words, wrongOf }) => ({
        count: wrongOf(1) - wrongOf(1),
        of: words,
      }));
      const { lower, upper } = ratioInterval(parts, 0.95, counted);
      if (lower <= 0 && upper >= 0) covered++;
    }
    expect(covered / replicates).toBeGreaterThan(least);
  });

  it.each([20, 60])('unpaired, %i learners a side', (learners) => {
    const random = createRandom(7 + learners);
    let covered = 0;
    for (let replicate = 0; replicate < replicates; replicate++) {
      const side = () =>
        drawnLearners(random, learners).map(({ words, wrongOf }): ClusterPart => ({ count: wrongOf(1), of: words }));
      const { lower, upper } = ratioShift(side(), side(), 0.95, counted);
      if (lower <= 0 && upper >= 0) covered++;
    }
    expect(covered / replicates).toBeGreaterThan(least);
  });
});
