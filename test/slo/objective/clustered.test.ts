import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addClusterSums, type ClusterSums, emptyClusterSums } from '../../../src/metrics/cluster-sums.ts';
import {
  type Claim,
  clusteredMean,
  type Dependence,
  dependence,
  observedEffect,
  provesShare,
  sessionsByLength,
  sessionsFreedom,
  sessionsToProve,
} from '../../../src/slo/objective/clustered.ts';
import { binomialCdf } from '../../../src/stats/distributions.ts';
import { fewness } from '../../../src/stats/effective-size.ts';
import { createRandom } from '../../../src/stats/random.ts';
import { shareUpper } from '../../../src/stats/share-bounds.ts';
import { studentUpper } from '../../../src/stats/student.ts';
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

describe('the design effect by its definition', () => {
  type Session = { samples: number; misses: number };
  const total = <T>(all: readonly T[], of: (one: T) => number) => all.reduce((sum, one) => sum + of(one), 0);
  const sumsOf = (stratum: readonly Session[]) =>
    sumsOfMisses(stratum.map(({ samples, misses }) => [samples, misses] as const));

  /** The variance of the number of misses: squared residuals within each stratum, those of large sessions raised. */
  const spreadOf = (strata: readonly (readonly Session[])[]) =>
    total(strata, (stratum) => {
      const samples = total(stratum, (one) => one.samples);
      const share = total(stratum, (one) => one.misses) / samples;
      return total(stratum, (one) => (1 + one.samples / samples) * (one.misses - share * one.samples) ** 2);
    });

  it('is the spread between sessions over that of independent samples, where at least ten missed', () => {
    const session = fc
      .tuple(fc.integer({ min: 1, max: 30 }), fc.double({ min: 0, max: 1, noNaN: true }))
      .map(([samples, share]) => ({ samples, misses: Math.round(samples * share) }));
    const strata = fc.array(fc.array(session, { minLength: 2, maxLength: 8 }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(strata, fc.double({ min: 0.01, max: 0.9, noNaN: true }), (sessions, missShare) => {
        const all = sessions.flat();
        const [samples, misses] = [total(all, (one) => one.samples), total(all, (one) => one.misses)];
        fc.pre(misses >= 10 && misses < samples && samples > all.length);
        const allShare = misses / samples;
        const own = spreadOf(sessions) / samples / (allShare * (1 - allShare));
        const luck = Math.min(9, Math.max(1, (missShare / allShare) ** 2));
        const sums = sessions.map(sumsOf);
        const effect = 1 + Math.max(0, own - 1) * luck;
        expect(dependence(sums, { ...share, missShare })!.designEffect).toBeCloseTo(effect, 6);
        expect(observedEffect(sums, missShare)).toBeCloseTo(Math.max(1, own), 6);
      }),
      { numRuns: 200 },
    );
  });

  it.each<[string, [number, number][], number]>([
    [
      'ten misses: what they say',
      [
        [20, 10],
        [20, 0],
        [20, 0],
      ],
      32 / 3,
    ],
    [
      'nine: at least that a session is a sample',
      [
        [20, 9],
        [20, 0],
        [20, 0],
      ],
      20,
    ],
    [
      'no miss: that it is one, by lengths',
      [
        [20, 0],
        [10, 0],
      ],
      500 / 30,
    ],
    [
      'nothing but misses: the same',
      [
        [20, 20],
        [10, 10],
      ],
      500 / 30,
    ],
    [
      'one sample a session: none',
      [
        [1, 1],
        [1, 0],
        [1, 0],
      ],
      1,
    ],
    [
      'misses that sessions share evenly: no less than of independent ones',
      [
        [20, 10],
        [20, 10],
      ],
      1,
    ],
  ])('is of %s', (_, sessions, effect) => {
    const sums = sumsOfMisses(sessions);
    // At the share that missed, so that luck plays no part.
    const missShare = sums.misses / sums.samples || 0.05;
    expect(dependence([sums], { ...share, missShare })!.designEffect).toBeCloseTo(effect, 9);
    expect(observedEffect([sums], missShare)).toBeCloseTo(effect, 9);
  });

  /** That of latencies above the highest rung that has at least ten of them, and at least `tailShare`, above it. */
  const tailEffectOf = (strata: readonly (readonly (readonly number[])[])[], tailShare: number) => {
    const sessions = strata.flat();
    const samples = sessions.flat().length;
    const above = (session: readonly number[], rung: number) =>
      session.filter((ms) => ms > 2 ** ((rung - 1) / 16)).length;
    const allAbove = (rung: number) => total(sessions, (session) => above(session, rung));
    const usable = Array.from({ length: 257 }, (_, i) => i + 1).filter((k) => allAbove(k) > 0 && allAbove(k) < samples);
    if (usable.length === 0) return undefined;
    const rung = usable.findLast((k) => allAbove(k) >= Math.max(10, tailShare * samples)) ?? usable[0]!;
    const spread = total(strata, (stratum) => {
      const mean = total(stratum, (one) => above(one, rung)) / stratum.flat().length;
      const squares = total(stratum, (one) => (above(one, rung) - mean * one.length) ** 2);
      return (squares * stratum.length) / (stratum.length - 1);
    });
    const aboveShare = allAbove(rung) / samples;
    return spread / samples / (aboveShare * (1 - aboveShare));
  };

  it('is of latencies at least that of the tails at the quantile and at twice its share', () => {
    const latency = fc.integer({ min: 0, max: 9 }).map((steps) => 100 * 2 ** (steps / 4) + 1);
    const session = fc.array(latency, { minLength: 2, maxLength: 9 });
    const strata = fc.array(fc.array(session, { minLength: 2, maxLength: 6 }), { minLength: 1, maxLength: 2 });
    fc.assert(
      fc.property(strata, fc.constantFrom(0.05, 0.2, 0.4), (sessions, missShare) => {
        const tails = [missShare, 2 * missShare].map((tailShare) => tailEffectOf(sessions, tailShare));
        fc.pre(tails[0] !== undefined);
        const sums = sessions.map((stratum) => sumsOfLatencies(stratum, Number.POSITIVE_INFINITY));
        const effect = Math.max(1, ...tails.map((one) => one!));
        expect(dependence(sums, { ...p95, missShare })!.designEffect).toBeCloseTo(effect, 6);
        // Of a share of which nothing missed the first alone speaks.
        const first = Math.max(1, tails[0]!);
        expect(dependence(sums, { ...share, missShare })!.designEffect).toBeCloseTo(first, 6);
        expect(observedEffect(sums, missShare)).toBeCloseTo(first, 6);
      }),
      { numRuns: 200 },
    );
  });

  it('takes from latencies of other events how alike they are within a session, and the lengths from its own', () => {
    const latencies = [
      [100, 100, 100, 900],
      [100, 900, 900, 900],
      [100, 100, 100, 100],
      [900, 900, 900, 900],
    ];
    const behind = sumsOfLatencies(latencies, Number.POSITIVE_INFINITY);
    const effect = tailEffectOf([latencies], 0.05)!;
    const events = sumsOfMisses([
      [7, 0],
      [7, 0],
      [7, 0],
      [7, 0],
    ]);
    const sums = { ...events, tails: behind.tails };
    const icc = (effect - 1) / 3;
    expect(dependence([sums], share)!.designEffect).toBeCloseTo(1 + 6 * icc, 9);
    // One latency a session cannot tell how alike those of one are.
    const single = { ...events, tails: sumsOfLatencies([[100], [900], [100], [900]]).tails };
    expect(dependence([single], share)!.designEffect).toBe(1);
  });

  it('leaves as many samples as it divides them by, and fewer where sessions are few', () => {
    const sums = sumsOfMisses([
      [20, 10],
      [20, 0],
      [20, 0],
    ]);
    const worth = dependence([sums], { ...share, missShare: 1 / 6 })!;
    const left = fewness(60, 2, 0.9) / (32 / 3);
    expect(worth).toEqual({
      sessions: 3,
      designEffect: expect.closeTo(32 / 3, 9),
      samples: expect.closeTo(60 * left, 9),
      misses: expect.closeTo(10 * left, 9),
    });
    // A stratum more costs a degree of freedom, and two of one session each are one stratum of two.
    const pair = sumsOfMisses(Array(2).fill([20, 10]));
    const single = sumsOfMisses([[20, 10]]);
    const worthOf = (...strata: ClusterSums[]) => dependence(strata, share)?.samples;
    expect(worthOf(pair)).toBeCloseTo(40 * fewness(40, 1, 0.9), 9);
    expect(worthOf(pair, pair)).toBeCloseTo(80 * fewness(80, 2, 0.9), 9);
    expect(worthOf(single, single)).toBeCloseTo(40 * fewness(40, 1, 0.9), 9);
    expect(worthOf(pair, single, single)).toBeCloseTo(80 * fewness(80, 2, 0.9), 9);
    expect(worthOf(pair, single)).toBeCloseTo(60 * fewness(60, 1, 0.9), 9);
    expect(worthOf(single)).toBeUndefined();
    expect(worthOf(sumsOfMisses(Array(2).fill([0, 0])))).toBeUndefined();
  });

  it('counts sessions by their lengths', () => {
    expect(sessionsByLength([sumsOfMisses(Array(4).fill([7, 1]))])).toBeCloseTo(4, 9);
    expect(sessionsByLength([sumsOfMisses([[30, 0]]), sumsOfMisses([[10, 0]])])).toBeCloseTo(1600 / 1000, 9);
    expect(sessionsByLength([])).toBe(0);
  });
});

describe('the mean of sessions', () => {
  it('is bounded by Student at the spread of the sessions about it', () => {
    const sums = [
      [1, 100],
      [1, 300],
      [2, 500],
    ].map(([samples, ms]) => [samples!, ms!] as const);
    // 225 ms: residuals of -125, 75 and 50, raised by a quarter, a quarter and a half; 4^2 / 6 sessions by length.
    const deviation = Math.sqrt(125 ** 2 * 1.25 + 75 ** 2 * 1.25 + 50 ** 2 * 1.5) / 4;
    expect(clusteredMean([sumsOfMisses(sums)], 0.95)).toEqual({
      sessions: 3,
      mean: 225,
      deviation: expect.closeTo(deviation, 9),
      bound: expect.closeTo(225 + studentUpper(0.95, 16 / 6 - 1) * deviation, 9),
    });
    // Two sessions of one sample each: 100 +- 50, each raised by a half.
    const two = clusteredMean(
      [
        sumsOfMisses([
          [1, 50],
          [1, 150],
        ]),
      ],
      0.95,
    )!;
    expect(two.bound).toBeCloseTo(100 + (studentUpper(0.95, 1) * Math.sqrt(2 * 50 ** 2 * 1.5)) / 2, 9);
    expect(clusteredMean([sumsOfMisses([[4, 9]])], 0.95)).toBeUndefined();
    expect(
      clusteredMean(
        [
          sumsOfMisses([
            [0, 0],
            [0, 0],
          ]),
        ],
        0.95,
      ),
    ).toBeUndefined();
  });
});

describe('how many more sessions would prove a share', () => {
  it.each<[string, number, number, number, number]>([
    ['none of 58 missed', 58, 0, 0.05, 1],
    ['one of 92 missed', 92, 1, 0.05, 1],
    ['none of two missed', 2, 0, 0.05, 57],
    ['none of 298 missed', 298, 0, 0.01, 1],
    ['none of a hundred missed', 100, 0, 0.01, 199],
  ])('of one sample each, where %s', (_, sessions, misses, missShare, more) => {
    const sums = sumsOfMisses(Array.from({ length: sessions }, (_one, i) => [1, i < misses ? 1 : 0] as const));
    const claim = { ...share, missShare };
    expect(sessionsToProve([sums], dependence([sums], claim)!, claim)).toBe(more);
  });

  it.each<[string, [number, number][], number]>([
    [
      'forty of ten samples, a quarter with a miss',
      Array.from({ length: 40 }, (_, i) => [10, i % 4 === 0 ? 1 : 0]),
      0.03,
    ],
    [
      'three of twenty samples',
      [
        [20, 8],
        [20, 4],
        [20, 6],
      ],
      0.3,
    ],
    [
      'two of twenty samples',
      [
        [20, 8],
        [20, 9],
      ],
      0.43,
    ],
  ])('is when so many do and one fewer does not: %s', (_, sessions, missShare) => {
    const [strata, claim] = [[sumsOfMisses(sessions)], { ...share, missShare }];
    const [count, samples, now] = [sessions.length, sessions.length * sessions[0]![0], dependence(strata, claim)!];
    const more = sessionsToProve(strata, now, claim);
    // More sessions bring samples and degrees of freedom, and not a miss.
    const worthOf = (added: number) => {
      const times = (count + added) / count;
      const factor = fewness(samples * times, count + added - 1, 0.9) / fewness(samples, count - 1, 0.9);
      return { samples: now.samples * times * factor, misses: now.misses * factor };
    };
    expect(more).toBeGreaterThan(1);
    expect(provesShare(worthOf(more), missShare, 0.95)).toBe(true);
    expect(provesShare(worthOf(more - 1), missShare, 0.95)).toBe(false);
  });

  it('proves nothing of samples that all miss, nor a share without any', () => {
    expect(provesShare({ samples: 5, misses: 5 }, 0.05, 0.95)).toBe(false);
    expect(provesShare({ samples: 59, misses: 0 }, 0.05, 0.95)).toBe(true);
    expect(provesShare({ samples: 58, misses: 0 }, 0.05, 0.95)).toBe(false);
    expect(provesShare({ samples: 93, misses: 1 }, 0.05, 0.95)).toBe(true);
    expect(provesShare({ samples: 92, misses: 1 }, 0.05, 0.95)).toBe(false);
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
