import { describe, expect, it } from 'vitest';
import { createRandom, type Random } from '../../src/stats/random.ts';
import { drawBeta, drawBinomial, drawGamma } from '../../src/stats/variates.ts';

describe('seeded random numbers', () => {
  it('are the same for the same seed and others for the next', () => {
    const first = (seed: number) => Array.from({ length: 5 }, createRandom(seed).uniform);
    expect(first(1)).toEqual(first(1));
    expect(first(1)).not.toEqual(first(2));
  });

  it('begin apart for seeds that are near', () => {
    const starts = Array.from({ length: 1000 }, (_, seed) => createRandom(seed).uniform());
    expect(mean(starts)).toBeCloseTo(0.5, 1);
    expect(variance(starts)).toBeCloseTo(1 / 12, 1);
  });

  it('index stays inside its bound', () => {
    const random = createRandom(3);
    const seen = new Set(Array.from({ length: 500 }, () => random.index(7)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });
});

/** Five standard errors at 20,000 draws; the seed is fixed, so a pass stays a pass. */
describe('variates have the mean and variance of their distribution', () => {
  it.each<[string, (random: Random) => number, number, number]>([
    ['uniform', (random) => random.uniform(), 1 / 2, 1 / 12],
    ['normal', (random) => random.normal(), 0, 1],
    ['gamma 1', (random) => drawGamma(random, 1), 1, 1],
    ['gamma 30', (random) => drawGamma(random, 30), 30, 30],
    ['beta 2, 5', (random) => drawBeta(random, 2, 5), 2 / 7, 10 / 392],
    ['binomial 10, .3', (random) => drawBinomial(random, 10, 0.3), 3, 2.1],
    ['binomial 1,000,000, .07', (random) => drawBinomial(random, 1_000_000, 0.07), 70_000, 65_100],
  ])('%s', (_name, draw, expectedMean, expectedVariance) => {
    const random = createRandom(11);
    const values = Array.from({ length: 20_000 }, () => draw(random));
    expect(Math.abs(mean(values) - expectedMean)).toBeLessThan(5 * Math.sqrt(expectedVariance / 20_000));
    expect(variance(values) / expectedVariance).toBeGreaterThan(0.92);
    expect(variance(values) / expectedVariance).toBeLessThan(1.08);
  });

  it('a binomial of chance 0 or 1 is certain', () => {
    const random = createRandom(5);
    expect([drawBinomial(random, 1000, 0), drawBinomial(random, 1000, 1), drawBinomial(random, 0, 0.5)]).toEqual([
      0, 1000, 0,
    ]);
  });
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function variance(values: readonly number[]): number {
  const centre = mean(values);
  return mean(values.map((value) => (value - centre) ** 2));
}
