import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addClusterSums, type ClusterSums, emptyClusterSums } from '../../../src/metrics/cluster-sums.ts';
import { dependence, missShareBound, provesShare } from '../../../src/slo/objective/clustered.ts';
import { binomialCdf } from '../../../src/stats/distributions.ts';
import { createRandom } from '../../../src/stats/random.ts';

describe('what sessions prove', () => {
  it('by their misses: the spread of a ratio over clusters', () => {
    const worth = dependence([sumsOf([missing(2), missing(4), missing(6)])], 0.95)!;
    expect(worth.sessions).toBe(3);
    // Spread 8 over three sessions, 8 x 3 / 2 over 30 squared, against .4 x .6 over 30.
    expect(worth.designEffect).toBeCloseTo(5 / 3, 12);
    // t of 29 and of 2 degrees at .95.
    const left = (1.699127 / 2.919986) ** 2 / (5 / 3);
    expect(worth.samples).toBeCloseTo(30 * left, 5);
    expect(worth.misses).toBeCloseTo(12 * left, 5);
  });

  it.each([
    ['nine misses', [2, 3, 4], undefined],
    ['ten', [2, 3, 5], 1.05],
    ['nothing but misses', [10, 10, 10], undefined],
    ['all but one', [10, 9, 10], 30 / 29],
  ])('with %s, and without latencies, is told by misses from ten of them on', (_, misses, effect) => {
    const sums = { ...sumsOf(misses.map(missing)), logSum: 0, logSquares: 0, logBetween: 0 };
    const designEffect = dependence([sums], 0.95)?.designEffect;
    if (effect === undefined) expect(designEffect).toBeUndefined();
    else expect(designEffect).toBeCloseTo(effect, 12);
  });

  it('by their latencies: between 6, within 1, three samples each make a correlation of 5 / 8', () => {
    const powers = (...logs: number[]) => logs.map((log) => Math.exp(log));
    const sums = sumsOf([powers(1, 2, 3), powers(3, 4, 5)]);
    expect(dependence([sums], 0.95)!.designEffect).toBeCloseTo(1 + 2 * (5 / 8), 10);
  });

  it('latencies that are all one say nothing of a session', () => {
    const one = [Math.E, Math.E];
    expect(dependence([sumsOf([one, one, one])], 0.95)!.designEffect).toBe(1);
  });

  it('two sessions are enough, and one degree of freedom', () => {
    expect(dependence([sumsOf([missing(3), missing(8)])], 0.95)).toMatchObject({ sessions: 2 });
    expect(dependence([sumsOf([missing(3)]), sumsOf([missing(8), missing(8)])], 0.95)).toMatchObject({ sessions: 3 });
  });

  it('where everything misses, everything may', () => {
    const worth = { sessions: 3, designEffect: 1, samples: 5, misses: 5 };
    expect(missShareBound(worth, 0.95)).toBe(1);
    expect(missShareBound({ ...worth, misses: 0 }, 0.95)).toBeCloseTo(1 - 0.05 ** (1 / 5), 9);
  });

  it('independent samples are worth about what they are', () => {
    const worth = dependence([sumsOf(sessions(200, 50, () => 0.05))], 0.95)!;
    expect(worth.designEffect).toBeLessThan(1.4);
    expect(worth.samples).toBeGreaterThan(7000);
  });

  it('sessions that are good or bad as a whole are worth one sample each', () => {
    const random = createRandom(5);
    const worth = dependence([sumsOf(sessions(200, 50, () => (random.uniform() < 0.1 ? 1 : 0)))], 0.95)!;
    expect(worth.designEffect).toBeCloseTo(50, -1);
    expect(worth.samples).toBeCloseTo(200, -2);
    expect(worth.sessions).toBe(200);
  });

  it('with few misses the latencies tell how alike a session is', () => {
    const random = createRandom(9);
    const alike = Array.from({ length: 40 }, () => {
      const own = 10 * Math.exp(0.5 * random.normal());
      return Array.from({ length: 100 }, () => own * Math.exp(0.5 * random.normal()));
    });
    // Half of the variance lies between sessions: an intra-class correlation of .5, 1 + 99 x .5.
    const { designEffect } = dependence([sumsOf(alike)], 0.95)!;
    expect(designEffect).toBeGreaterThan(35);
    expect(designEffect).toBeLessThan(65);
  });

  it.each([
    ['one session', [[1, 1, 1]]],
    ['a sample a session', [[1], [1], [1]]],
    ['nothing', []],
  ])('%s cannot tell', (_, latencies) => {
    expect(dependence([sumsOf(latencies)], 0.95)).toBeUndefined();
  });

  it('a share without a miss cannot tell', () => {
    const sums = { ...sumsOf(sessions(20, 10, () => 0)), logSum: 0, logSquares: 0, logBetween: 0 };
    expect(dependence([sums], 0.95)).toBeUndefined();
  });

  it('that profiles differ costs nothing, while their sessions are alike', () => {
    const random = createRandom(3);
    const of = (medianMs: number) =>
      sumsOf(
        Array.from({ length: 20 }, () => Array.from({ length: 50 }, () => medianMs * Math.exp(0.3 * random.normal()))),
      );
    const [wifi, edge] = [of(20), of(200)];
    const mixed = emptyClusterSums();
    for (const one of [wifi, edge]) addClusterSums(mixed, one);
    expect(dependence([mixed], 0.95)!.designEffect).toBeGreaterThan(40);
    expect(dependence([wifi, edge], 0.95)).toMatchObject({ sessions: 40, designEffect: expect.closeTo(1, 0) });
  });

  it('profiles of one session each are taken together', () => {
    const alone = [20, 90, 400].map((ms) => sumsOf([Array.from({ length: 30 }, (_, i) => ms + (i % 7))]));
    expect(dependence(alone, 0.95)!.designEffect).toBeCloseTo(30, 0);
  });

  it('sums add up over generators', () => {
    const all = sessions(30, 20, () => 0.2);
    const merged = sumsOf(all.slice(0, 11));
    addClusterSums(merged, sumsOf(all.slice(11)));
    for (const [key, value] of Object.entries(sumsOf(all)))
      expect(merged[key as keyof ClusterSums]).toBeCloseTo(value, 6);
  });

  it('samples worth themselves are judged as the binomial bound judges them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 3000 }), fc.nat(40), (samples, misses) => {
        fc.pre(misses < samples);
        const worth = { sessions: 1e9, designEffect: 1, samples, misses };
        expect(provesShare(worth, 0.05, 0.95)).toBe(binomialCdf(misses, samples, 0.05) <= 0.05);
        expect(binomialCdf(misses, samples, missShareBound(worth, 0.95))).toBeCloseTo(0.05, 6);
      }),
      { numRuns: 50 },
    );
  });

  it('the bound holds in nineteen of twenty tests of dependent sessions, where the plain one does not', () => {
    const random = createRandom(77);
    const truth = 0.05;
    const bounds = Array.from({ length: 300 }, (_, i) => {
      // Beta(0.5, 9.5): mean .05, strongly unlike sessions.
      const all = sessions(60, 40, () => betaHalf(random, 9.5), i);
      const sums = sumsOf(all);
      const worth = dependence([sums], 0.95)!;
      const plain = { ...worth, samples: sums.samples, misses: sums.misses };
      return [missShareBound(worth, 0.95) >= truth, missShareBound(plain, 0.95) >= truth] as const;
    });
    const held = (which: 0 | 1) => bounds.filter((one) => one[which]).length / bounds.length;
    expect(held(0)).toBeGreaterThan(0.9);
    expect(held(1)).toBeLessThan(0.85);
  });
});

/** Latencies of 900 ms where a sample misses and 100 ms where not, by the chance that each session draws. */
function sessions(count: number, samples: number, chance: () => number, seed = 1): number[][] {
  const random = createRandom(1000 + seed);
  return Array.from({ length: count }, () => {
    const own = chance();
    return Array.from({ length: samples }, () => (random.uniform() < own ? 900 : 100));
  });
}

/** A session of ten samples, so many of them misses. */
function missing(misses: number): number[] {
  return Array.from({ length: 10 }, (_, i) => (i < misses ? 900 : 100));
}

/** As sessions add to them; a miss is 500 ms or more. */
function sumsOf(latencies: readonly (readonly number[])[]): ClusterSums {
  const sums = emptyClusterSums();
  for (const session of latencies) {
    const n = session.length;
    const m = session.filter((ms) => ms >= 500).length;
    const logs = session.map(Math.log);
    const logSum = logs.reduce((sum, log) => sum + log, 0);
    addClusterSums(sums, {
      sessions: 1,
      samples: n,
      misses: m,
      samplesSquared: n * n,
      missesSquared: m * m,
      missesSamples: m * n,
      logSum,
      logSquares: logs.reduce((sum, log) => sum + log * log, 0),
      logBetween: (logSum * logSum) / n,
    });
  }
  return sums;
}

/** Beta(1/2, b) as z^2 / (z^2 + 2 gamma(b)): chi-square halves. */
function betaHalf(random: ReturnType<typeof createRandom>, b: number): number {
  const one = random.normal() ** 2;
  let other = 0;
  for (let i = 0; i < 2 * b; i++) other += random.normal() ** 2;
  return one / (one + other);
}
