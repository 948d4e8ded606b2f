import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addClusterSums, type ClusterSums, emptyClusterSums } from '../../../src/metrics/cluster-sums.ts';
import {
  type Claim,
  clusteredMean,
  type Dependence,
  dependence,
  provesShare,
  sessionsFreedom,
  sessionsToProve,
} from '../../../src/slo/objective/clustered.ts';
import { binomialCdf } from '../../../src/stats/distributions.ts';
import { createRandom } from '../../../src/stats/random.ts';
import { shareUpper } from '../../../src/stats/share-bounds.ts';
import { sumsOfLatencies, sumsOfMisses } from '../../kit/cluster-sums.ts';

const p95: Claim = { missShare: 0.05, latencies: true, confidence: 0.95 };
const share: Claim = { missShare: 0.05, latencies: false, confidence: 0.95 };
const rare: Claim = { missShare: 0.001, latencies: false, confidence: 0.95 };

describe('what sessions prove', () => {
  it('two sessions are enough, and one degree of freedom', () => {
    const missing = (misses: number) => Array.from({ length: 10 }, (_, i) => (i < misses ? 900 : 100));
    expect(dependence([sumsOfLatencies([missing(3), missing(8)])], share)).toMatchObject({ sessions: 2 });
    const strata = [sumsOfLatencies([missing(3)]), sumsOfLatencies([missing(8), missing(8)])];
    expect(dependence(strata, share)).toMatchObject({ sessions: 3 });
  });

  it('where everything misses, everything may', () => {
    const worth = { sessions: 3, designEffect: 1, samples: 5, misses: 5 };
    expect(shareUpper(worth.misses, worth.samples, 0.95)).toBe(1);
    expect(shareUpper(0, worth.samples, 0.95)).toBeCloseTo(1 - 0.05 ** (1 / 5), 9);
  });

  it('independent samples are worth about what they are', () => {
    const worth = dependence([sumsOfLatencies(twoValued(200, 50, () => 0.05))], p95)!;
    expect(worth.designEffect).toBeLessThan(1.4);
    expect(worth.samples).toBeGreaterThan(7000);
  });

  it('sessions that are good or bad as a whole are worth one sample each', () => {
    const random = createRandom(5);
    const worth = dependence([sumsOfLatencies(twoValued(200, 50, () => (random.uniform() < 0.1 ? 1 : 0)))], p95)!;
    expect(worth.designEffect).toBeCloseTo(50, -1);
    expect(worth.samples).toBeCloseTo(200, -2);
    expect(worth.sessions).toBe(200);
  });

  it.each<[string, Claim, number]>([
    ['a p95', p95, 500],
    ['a share of 99.9 %', rare, Number.POSITIVE_INFINITY],
  ])('%s of which nothing missed is told by the quantile of the latencies that has data', (_, claim, limitMs) => {
    const alike = levels(40, 100, 9);
    expect(dependence([sumsOfLatencies(alike, limitMs)], claim)!.designEffect).toBeGreaterThan(5);
    const all = alike.flat();
    const unlike = alike.map((session, i) => session.map((_, j) => all[40 * j + i]!));
    expect(dependence([sumsOfLatencies(unlike, limitMs)], claim)!.designEffect).toBeLessThan(3);
  });

  it.each<[string, ClusterSums, number]>([
    ['no misses and no latencies behind them', sumsOfMisses(Array(30).fill([20, 0])), 20],
    ['fewer than ten misses and no latencies', sumsOfMisses([...Array(29).fill([20, 0]), [20, 3]]), 20],
    ['latencies that are all equal', sumsOfLatencies(Array(30).fill(Array(20).fill(100))), 20],
    ['a sample a session', sumsOfLatencies([[1], [2], [3], [600]]), 1],
    ['samples that all miss', sumsOfLatencies(Array(30).fill(Array(20).fill(900))), 20],
  ])('%s: a session counts as one sample, and nothing is NaN', (_, sums, effect) => {
    for (const claim of [p95, share, rare]) {
      const worth = dependence([sums], claim)!;
      expect(worth.designEffect).toBeCloseTo(effect, 0);
      expect(Object.values(worth).every(Number.isFinite)).toBe(true);
      expect(shareUpper(worth.misses, worth.samples, 0.95)).toBeGreaterThan(0);
    }
  });

  it.each<[string, readonly ClusterSums[]]>([
    ['one session', [sumsOfLatencies([[1, 1, 1]])]],
    ['nothing', []],
  ])('%s cannot tell', (_, strata) => {
    expect(dependence(strata, p95)).toBeUndefined();
    expect(clusteredMean(strata, 0.95)).toBeUndefined();
  });

  it('few sessions of very different lengths count as fewer', () => {
    const random = createRandom(2);
    const even = Array.from({ length: 20 }, () => Array.from({ length: 100 }, () => 100 + 20 * random.normal()));
    const uneven = even.map((session, i) => (i === 0 ? even.flat().slice(0, 1500) : session.slice(0, 26)));
    const [one, other] = [even, uneven].map((sessions) => dependence([sumsOfLatencies(sessions)], p95)!);
    expect(other!.samples).toBeLessThan(one!.samples / 2);
  });

  it.each<[string, readonly number[], number, number]>([
    ['equally long, all but one', Array(20).fill(50), 1, 19],
    ['equally long and all alike, the same', Array(20).fill(50), 50, 19],
    ['of different lengths, by them', [10, 10, 10, 70], 1, 10_000 / 5200 - 1],
    ['of different lengths and alike, by their squares', [10, 10, 10, 70], 52, 5200 ** 2 / (3e4 + 70 ** 4) - 1],
  ])('sessions free to differ are, when %s', (_, lengths, effect, freedom) => {
    const sums = sumsOfMisses(lengths.map((length) => [length, 1]));
    expect(sessionsFreedom([sums], effect)).toBeCloseTo(freedom, 9);
    expect(sessionsFreedom([sums, sums], effect)).toBeCloseTo(2 * freedom, 9);
  });

  it('that profiles differ costs nothing, while their sessions are alike', () => {
    const random = createRandom(3);
    const of = (medianMs: number) =>
      sumsOfLatencies(
        Array.from({ length: 20 }, () => Array.from({ length: 50 }, () => medianMs * Math.exp(0.3 * random.normal()))),
      );
    const [wifi, edge] = [of(20), of(200)];
    const mixed = emptyClusterSums();
    for (const one of [wifi, edge]) addClusterSums(mixed, one);
    const effects = [[mixed], [wifi, edge]].map((strata) => dependence(strata, p95)!.designEffect);
    expect(effects[0]).toBeGreaterThan(3 * effects[1]!);
    expect(effects[1]).toBeLessThan(2);
  });

  it('sums add up over generators', () => {
    const all = twoValued(30, 20, () => 0.2);
    const merged = sumsOfLatencies(all.slice(0, 11));
    addClusterSums(merged, sumsOfLatencies(all.slice(11)));
    expect(merged).toEqual(sumsOfLatencies(all));
  });

  it('samples worth themselves are judged as the binomial bound judges them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 3000 }), fc.nat(40), (samples, misses) => {
        fc.pre(misses < samples);
        const worth: Dependence = { sessions: 1e9, designEffect: 1, samples, misses };
        expect(provesShare(worth, 0.05, 0.95)).toBe(binomialCdf(misses, samples, 0.05) <= 0.05);
        expect(binomialCdf(misses, samples, shareUpper(worth.misses, worth.samples, 0.95))).toBeCloseTo(0.05, 6);
      }),
      { numRuns: 50 },
    );
  });

  it('says how many more sessions would prove it, and those do', () => {
    const few = levels(12, 20, 4);
    const strata = [sumsOfLatencies(few)];
    const more = sessionsToProve(strata, dependence(strata, p95)!, p95);
    expect(more).toBeGreaterThan(2);
    const times = Math.ceil((12 + more) / 12);
    const enough = [sumsOfLatencies(Array.from({ length: times }, () => few).flat())];
    expect(provesShare(dependence(strata, p95)!, 0.05, 0.95)).toBe(false);
    expect(provesShare(dependence(enough, p95)!, 0.05, 0.95)).toBe(true);
  });
});

/** Latencies of 900 ms where a sample misses and 100 ms where not, by the chance that each session draws. */
function twoValued(count: number, samples: number, chance: () => number): number[][] {
  const random = createRandom(1001);
  return Array.from({ length: count }, () => {
    const own = chance();
    return Array.from({ length: samples }, () => (random.uniform() < own ? 900 : 100));
  });
}

/** Log-normal latencies about 10 ms, half of whose variance lies between sessions. */
function levels(count: number, samples: number, seed: number): number[][] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => {
    const own = 10 * Math.exp(0.5 * random.normal());
    return Array.from({ length: samples }, () => own * Math.exp(0.5 * random.normal()));
  });
}
