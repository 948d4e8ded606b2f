import { describe, expect, it } from 'vitest';
import { addClusterSums, emptyClusterSums, sessionSums } from '../../../src/metrics/cluster-sums.ts';
import { type Measurements, quantile } from '../../../src/metrics/definitions.ts';
import { parseObjective } from '../../../src/slo/objective/expression.ts';
import type { ObjectiveVerdict } from '../../../src/slo/objective/objective-verdict.ts';
import { type Judging, judge, missedForCertain, overall } from '../../../src/slo/objective/verdict.ts';
import { sumsOfLatencies, sumsOfMisses } from '../../kit/cluster-sums.ts';
import { emptyMeasurements, sorted } from '../../kit/measurements.ts';
import { distributionOf } from '../../kit/samples.ts';

describe('a quantile objective', () => {
  it.each([
    ['59 good samples are the fewest that prove p95', [[59, 100]], 'pass', undefined],
    ['58 good samples prove nothing and want one more', [[58, 100]], 'invalid', 1],
    ['no samples prove nothing', [], 'invalid', undefined],
    [
      'one miss in 93 is proven',
      [
        [92, 100],
        [1, 900],
      ],
      'pass',
      undefined,
    ],
    [
      'one miss in 92 wants one more',
      [
        [91, 100],
        [1, 900],
      ],
      'invalid',
      1,
    ],
    [
      'a tenth over the bound fails',
      [
        [900, 100],
        [100, 501],
      ],
      'fail',
      undefined,
    ],
    [
      'a twentieth that never came, and one more, fails',
      [
        [949, 100],
        [51, Number.POSITIVE_INFINITY],
      ],
      'fail',
      undefined,
    ],
    ['a value on the bound is over it, for <', [[100, 500]], 'fail', undefined],
    ['a single miss proves nothing yet', [[1, Number.POSITIVE_INFINITY]], 'invalid', 92],
    ['a handful that all miss are a failure beyond doubt', [[3, Number.POSITIVE_INFINITY]], 'fail', undefined],
  ] as const)('%s', (_, groups, verdict, needsMore) => {
    const result = judged('p95(feedback_latency) < 500ms', {
      distributions: { feedback_latency: sorted(groups) },
    });
    expect(result.verdict).toBe(verdict);
    if (needsMore === undefined) return;
    expect(result.needsMore).toBe(needsMore);
    expect(result.reason).toContain(`needs ${needsMore} more ${needsMore === 1 ? 'sample' : 'samples'}, none a miss`);
  });

  it('shows the order statistic that bounds the true p95', () => {
    const steps = Array.from({ length: 1000 }, (_, i) => [1, i + 1] as const);
    const result = judged('p95(feedback_latency) < 990ms', { distributions: { feedback_latency: sorted(steps) } });
    expect(result).toMatchObject({ value: 950, confidenceBound: 962, samples: 1000, misses: 11, verdict: 'pass' });
  });

  it('on the bound passes for <=', () => {
    const distributions = { feedback_latency: sorted([[100, 500]]) };
    expect(judged('p95(feedback_latency) <= 500ms', { distributions }).verdict).toBe('pass');
  });

  it('max is judged as counted, infinity included', () => {
    const distributions = {
      final_latency: sorted([
        [5, 100],
        [1, Number.POSITIVE_INFINITY],
      ]),
    };
    expect(judged('max(final_latency) < 1s', { distributions })).toMatchObject({ verdict: 'fail', value: Infinity });
  });
});

describe('a mean objective', () => {
  const steps = (from: number, count: number) =>
    sorted(Array.from({ length: count }, (_, i) => [1, from + i] as const));
  it.each([
    ['passes when its bound is proven', steps(50, 100), 'pass', 99.5 + 1.645 * 2.887],
    ['is invalid when only the mean is good enough', steps(57, 100), 'invalid', undefined],
    ['fails when the mean is over', steps(61, 100), 'fail', undefined],
    ['wants thirty samples', sorted([[29, 1]]), 'invalid', undefined],
    [
      'is infinite with one that never came',
      sorted([
        [99, 1],
        [1, Number.POSITIVE_INFINITY],
      ]),
      'fail',
      undefined,
    ],
    ['proves nothing without data', sorted([]), 'invalid', undefined],
  ] as const)('%s', (_, feedback_latency, verdict, bound) => {
    const result = judged('mean(feedback_latency) < 110ms', { distributions: { feedback_latency } });
    expect(result.verdict).toBe(verdict);
    if (bound !== undefined) expect(result.confidenceBound).toBeCloseTo(bound, 1);
  });

  it('says how many more samples would prove it', () => {
    const distributions = { feedback_latency: steps(57, 100) };
    const { needsMore, reason } = judged('mean(feedback_latency) < 110ms', { distributions });
    // z sd / 3.5 squared, less the hundred: sd is 28.866.
    expect(needsMore).toBe(86);
    expect(reason).toContain('needs 86 more samples');
  });
});

describe('a share objective', () => {
  it.each([
    ['2,995 good events prove 99.9 %', 2995, 2995, 'pass'],
    ['2,994 do not', 2994, 2994, 'invalid'],
    ['one miss in 4,742 is proven', 4741, 4742, 'pass'],
    ['one miss in 4,741 is not', 4740, 4741, 'invalid'],
    ['half of them fail', 5000, 10_000, 'fail'],
    ['nothing at all proves nothing', 0, 0, 'invalid'],
  ])('%s', (_, good, total, verdict) => {
    expect(judged('availability >= 99.9%', { shares: { availability: { good, total } } }).verdict).toBe(verdict);
  });

  it('of 100 % is counted', () => {
    const shares = { availability: { good: 10, total: 10 } };
    expect(judged('availability >= 100%', { shares })).toMatchObject({
      verdict: 'pass',
      reason: 'counted in this run',
    });
  });
});

describe('a count objective', () => {
  it.each([
    ['lost_frames == 0', { count: 0, of: 500 }, 'pass'],
    ['lost_frames == 0', { count: 1, of: 500 }, 'fail'],
    ['lost_frames == 0', { count: 0, of: 0 }, 'invalid'],
    ['rate(lost_frames) == 0', { count: 0, of: 1 }, 'pass'],
    ['rate(lost_frames) == 0', { count: 0, of: 0 }, 'invalid'],
    ['rate(lost_frames) < 1%', { count: 0, of: 298 }, 'invalid'],
    ['rate(lost_frames) < 1%', { count: 0, of: 299 }, 'pass'],
    ['rate(lost_frames) < 1%', { count: 30, of: 300 }, 'fail'],
  ] as const)('%s with %o is %s', (objective, lost_frames, verdict) => {
    expect(judged(objective, { counts: { lost_frames } }).verdict).toBe(verdict);
  });
});

describe('a rate objective', () => {
  it.each([
    ['flicker_rate < 10%', { count: 0, of: 29 }, 'pass'],
    ['flicker_rate < 10%', { count: 5, of: 60 }, 'invalid'],
    ['flicker_rate < 10%', { count: 20, of: 60 }, 'fail'],
    ['flicker_rate < 10%', { count: 0, of: 0 }, 'invalid'],
  ] as const)('%s with %o is %s', (objective, flicker_rate, verdict) => {
    expect(judged(objective, { rates: { flicker_rate } })).toMatchObject({ verdict, unit: 'share' });
  });
});

describe('a cost objective', () => {
  it.each([
    ['within the price passes', { dollars: 0.014, audioMinutes: 1 }, 'pass', 0.014],
    ['on it passes for <=', { dollars: 0.03, audioMinutes: 2 }, 'pass', 0.015],
    ['over it fails', { dollars: 0.016, audioMinutes: 1 }, 'fail', 0.016],
    ['for nobody served is infinite, and fails', { dollars: 1, audioMinutes: 0 }, 'fail', Number.POSITIVE_INFINITY],
    ['without a price proves nothing', undefined, 'invalid', undefined],
  ] as const)('%s', (_, cost, verdict, value) => {
    const result = judged('cost_per_audio_minute <= $0.015', { cost });
    expect(result).toMatchObject({ verdict, unit: 'usd_per_minute' });
    expect(result.value).toBe(value);
  });
});

describe('everything that is said of an objective', () => {
  const hundred = sorted(Array.from({ length: 100 }, (_, i) => [1, i + 1] as const));
  it.each<[string, Given, Partial<ObjectiveVerdict>]>([
    [
      'p95(feedback_latency) < 90ms',
      { distributions: { feedback_latency: hundred } },
      { verdict: 'fail', value: 95, unit: 'ms', misses: 11, confidenceBound: 99, reason: '11 of 100 missed' },
    ],
    [
      'p95(feedback_latency) < 90ms',
      { distributions: { feedback_latency: sorted([[10, 100]]) } },
      { verdict: 'fail', value: 100, misses: 10, confidenceBound: undefined, reason: '10 of 10 missed' },
    ],
    [
      'p50(feedback_latency) < 90ms',
      { distributions: { feedback_latency: hundred } },
      { verdict: 'pass', value: 50, misses: 11, reason: 'proven at 95 % confidence' },
    ],
    [
      'max(final_latency) <= 99ms',
      { distributions: { final_latency: hundred } },
      { verdict: 'fail', value: 100, unit: 'ms', samples: 100, misses: 1, reason: '1 of 100 missed' },
    ],
    ['p95(final_latency) <= 99ms', {}, { verdict: 'invalid', value: undefined, unit: 'ms', reason: 'no data' }],
    ['max(final_latency) <= 99ms', {}, { verdict: 'invalid', value: undefined, unit: 'ms', reason: 'no data' }],
    ['mean(final_latency) <= 99ms', {}, { verdict: 'invalid', value: undefined, unit: 'ms', reason: 'no data' }],
    [
      'mean(final_latency) <= 40ms',
      { distributions: { final_latency: hundred } },
      { verdict: 'fail', value: 50.5, unit: 'ms', misses: 0, reason: 'the mean is over the bound' },
    ],
    [
      'mean(final_latency) <= 80ms',
      { distributions: { final_latency: hundred } },
      { verdict: 'pass', value: 50.5, reason: 'proven at 95 % confidence' },
    ],
    [
      'mean(final_latency) <= 80ms',
      { distributions: { final_latency: sorted([[29, 1]]) } },
      { verdict: 'invalid', needsMore: 1, reason: 'not proven; needs 1 more sample like these' },
    ],
    [
      'mean(final_latency) <= 80ms',
      { distributions: { final_latency: sorted([[30, 1]]) } },
      { verdict: 'pass', value: 1, confidenceBound: 1 },
    ],
    [
      'mean(final_latency) <= 80ms',
      { distributions: { final_latency: sorted([[29, 100]]) } },
      { verdict: 'invalid', needsMore: 1, reason: 'not proven; needs 1 more sample like these' },
    ],
    [
      'mean(final_latency) <= 80ms',
      {
        distributions: {
          final_latency: sorted([
            [9, 100],
            [3, Number.POSITIVE_INFINITY],
          ]),
        },
      },
      {
        verdict: 'fail',
        value: Number.POSITIVE_INFINITY,
        unit: 'ms',
        samples: 12,
        misses: 3,
        reason: '3 of 12 never came: the mean is infinite',
      },
    ],
    [
      'availability >= 99%',
      { shares: { availability: { good: 300, total: 300 } } },
      { verdict: 'pass', value: 1, unit: 'share', misses: 0, confidenceBound: expect.closeTo(0.05 ** (1 / 300), 9) },
    ],
    [
      'availability >= 99%',
      { shares: { availability: { good: 99, total: 100 } } },
      // One miss of a hundred: Clopper and Pearson leave 4.656 % plausible.
      { verdict: 'invalid', value: 0.99, misses: 1, confidenceBound: expect.closeTo(1 - 0.0465598, 6), needsMore: 373 },
    ],
    [
      'availability > 99%',
      { shares: { availability: { good: 990, total: 1000 } } },
      { verdict: 'fail', value: 0.99, reason: '10 of 1000 missed' },
    ],
    ['availability > 99%', { shares: { availability: { good: 2000, total: 2000 } } }, { verdict: 'pass', value: 1 }],
    [
      'availability > 99%',
      { shares: { availability: { good: 995, total: 1000 } } },
      { verdict: 'invalid', value: 0.995, misses: 5, needsMore: 49 },
    ],
    [
      'rate(lost_frames) <= 1%',
      { counts: { lost_frames: { count: 0, of: 299 } } },
      { verdict: 'pass', value: 0, unit: 'share', confidenceBound: expect.closeTo(1 - 0.05 ** (1 / 299), 9) },
    ],
    [
      'availability >= 100%',
      { shares: { availability: { good: 9, total: 10 } } },
      { verdict: 'fail', value: 0.9, misses: 1, confidenceBound: undefined, reason: '1 of 10 missed' },
    ],
    ['lost_frames == 0', {}, { verdict: 'invalid', unit: 'count', reason: 'no data' }],
    [
      'lost_frames <= 3',
      { counts: { lost_frames: { count: 4, of: 9 } } },
      { verdict: 'fail', value: 4, unit: 'count', samples: 9, misses: 4, reason: '4 of 9 missed' },
    ],
    [
      'lost_frames < 4',
      { counts: { lost_frames: { count: 3, of: 9 } } },
      { verdict: 'pass', value: 3, reason: 'counted in this run' },
    ],
    ['rate(lost_frames) == 0', {}, { verdict: 'invalid', unit: 'share', reason: 'no data' }],
    [
      'cost_per_audio_minute <= $0.015',
      { cost: { dollars: 0.0123, audioMinutes: 1.5 } },
      { verdict: 'pass', samples: 1, misses: 0, reason: '$0.0123 for 1.5 minutes of sound' },
    ],
    [
      'cost_per_audio_minute <= $0.001',
      { cost: { dollars: 0, audioMinutes: 0 } },
      { verdict: 'fail', value: Number.POSITIVE_INFINITY, samples: 1, misses: 1 },
    ],
  ])('%s with %o', (source, given, expected) => {
    const verdict = judged(source, given);
    expect(verdict).toMatchObject({ objective: source, bound: parseObjective(source).bound, ...expected });
    for (const key of Object.keys(expected))
      if (expected[key as keyof ObjectiveVerdict] === undefined) expect(verdict).toHaveProperty(key, undefined);
  });
});

describe('a miss beyond doubt', () => {
  it.each<[string, Given, boolean]>([
    ['lost_frames == 0', { counts: { lost_frames: { count: 1, of: 500 } } }, true],
    ['lost_frames == 0', { counts: { lost_frames: { count: 0, of: 500 } } }, false],
    ['max(final_latency) < 1s', { distributions: { final_latency: sorted([[1, 2000]]) } }, true],
    ['availability >= 100%', { shares: { availability: { good: 9, total: 10 } } }, true],
    ['rate(lost_frames) == 0', { counts: { lost_frames: { count: 1, of: 10 } } }, true],
    // Of 100 at 5 %: 13 misses or more come by chance once in 680 times, 14 once in 2,000.
    [
      'p95(feedback_latency) < 500ms',
      {
        distributions: {
          feedback_latency: sorted([
            [87, 1],
            [13, 900],
          ]),
        },
      },
      false,
    ],
    [
      'p95(feedback_latency) < 500ms',
      {
        distributions: {
          feedback_latency: sorted([
            [86, 1],
            [14, 900],
          ]),
        },
      },
      true,
    ],
    ['availability >= 95%', { shares: { availability: { good: 87, total: 100 } } }, false],
    ['availability >= 95%', { shares: { availability: { good: 86, total: 100 } } }, true],
    ['flicker_rate <= 5%', { rates: { flicker_rate: { count: 13, of: 100 } } }, false],
    ['flicker_rate <= 5%', { rates: { flicker_rate: { count: 14, of: 100 } } }, true],
    ['p95(feedback_latency) < 500ms', {}, false],
  ])('of %s with %o: %s', (source, given, certain) => {
    expect(missedForCertain(parseObjective(source), judged(source, given))).toBe(certain);
  });
});

describe('what sessions say beside the samples', () => {
  // Three sessions of ten samples of which 2, 4 and 6 miss: a spread of 8, and a thirtieth of 80 for their leverage.
  const sums = sumsOfMisses([
    [10, 2],
    [10, 4],
    [10, 6],
  ]);
  const feedback_latency = sorted([
    [18, 100],
    [12, 900],
  ]);
  const given = {
    distributions: { feedback_latency },
    shares: { availability: { good: 18, total: 30 } },
    rates: { flicker_rate: { count: 12, of: 30 } },
  };
  // (32 / 3) / 30 over .4 x .6; t of 29 and of 2 degrees at .95 leave 6.8567 of 30 samples, and 2.7427 misses.
  const worth = { sessions: 3, designEffect: expect.closeTo(40 / 27, 9), effectiveSamples: expect.closeTo(6.8567, 3) };
  it.each([
    ['availability >= 99%', { ...worth, confidenceBound: expect.closeTo(1 - 0.75651, 3), proven: false }],
    ['flicker_rate < 1%', { ...worth, confidenceBound: expect.closeTo(0.75651, 3), proven: false }],
    // Fewer missed than may: the part between sessions, 13 / 27, counts (.85 / .4) squared times.
    [
      'flicker_rate < 85%',
      {
        sessions: 3,
        designEffect: expect.closeTo(1 + (13 / 27) * (0.85 / 0.4) ** 2, 9),
        effectiveSamples: expect.closeTo(3.2002, 3),
        confidenceBound: expect.closeTo(0.88677, 3),
        proven: false,
      },
    ],
  ])('of %s: %o', (source, expected) => {
    expect(judged(source, { ...given, strata: [{ [source]: sums }, {}] }).clustered).toEqual(expected);
  });

  it.each(['availability >= 100%', 'rate(lost_frames) == 0', 'max(feedback_latency) < 1s', 'lost_frames == 0'])(
    'of %s, which is counted, is nothing',
    (source) => {
      expect(judged(source, { ...given, strata: [{ [source]: sums }] }).clustered).toBeUndefined();
    },
  );

  it('is nothing where no session told', () => {
    expect(judged('availability >= 99%', { ...given, strata: [{}] }).clustered).toBeUndefined();
    expect(judged('availability >= 99%', given).clustered).toBeUndefined();
  });
});

it('an objective on sessions that nobody had is not proven, and says whom it misses', () => {
  expect(judged('p95(feedback_latency){profile=edge,language=de-DE} < 1s', {})).toMatchObject({
    verdict: 'invalid',
    reason: 'no data from sessions with profile=edge,language=de-DE',
  });
});

it.each([
  [['pass', 'pass'], 'pass'],
  [['pass', 'invalid'], 'invalid'],
  [['invalid', 'fail', 'pass'], 'fail'],
  [[], 'invalid'],
] as const)('objectives %o make the run %s', (verdicts, expected) => {
  expect(overall(verdicts.map((verdict) => ({ verdict }) as ObjectiveVerdict))).toBe(expected);
});

it('the quantile is the nearest rank', () => {
  const hundred = sorted(Array.from({ length: 100 }, (_, i) => [1, i + 1] as const));
  expect([0.5, 0.95, 0.951, 0.99].map((p) => quantile(hundred, p))).toEqual([50, 95, 96, 99]);
});

type Given = { [K in keyof Measurements]?: Partial<Measurements[K]> } & Pick<Partial<Measurements>, 'cost' | 'strata'>;

function judged(source: string, given: Given, judging?: Judging): ObjectiveVerdict {
  const empty = emptyMeasurements();
  const measured = {
    ...empty,
    ...given,
    distributions: { ...empty.distributions, ...given.distributions },
    shares: { ...empty.shares, ...given.shares },
    rates: { ...empty.rates, ...given.rates },
    counts: { ...empty.counts, ...given.counts },
  };
  return judge(parseObjective(source), measured, judging);
}

describe('sessions as the unit', () => {
  const latencies = (sessions: number, samples: number, ms: (session: number, sample: number) => number) =>
    Array.from({ length: sessions }, (_, i) => Array.from({ length: samples }, (_, j) => ms(i, j)));
  const spoken = (all: readonly (readonly number[])[], limitMs = 500) => ({
    distributions: { feedback_latency: distributionOf(...all.flat()) },
    strata: [{ 'p95(feedback_latency) < 500ms': sumsOfLatencies(all, limitMs) }],
  });
  const p95 = 'p95(feedback_latency) < 500ms';
  // Each session has a level of its own: 100 to 138 ms, of which its samples hardly depart.
  const alike = (sessions: number) => latencies(sessions, 50, (i, j) => 100 + 2 * (i % 20) + 0.01 * j);
  const mixed = (sessions: number) => latencies(sessions, 50, (i, j) => 100 + ((7 * i + 13 * j) % 41));

  it.each<[string, readonly (readonly number[])[], string, string]>([
    ['twenty sessions whose samples mix', mixed(20), 'pass', 'proven at 95 % confidence'],
    ['twenty sessions each with its own level', alike(20), 'invalid', 'not proven by 20 sessions (design effect '],
    ['a hundred of those', alike(100), 'pass', 'proven at 95 % confidence'],
    ['one session', mixed(1), 'invalid', 'not proven by 1 session; needs 3 more like it, none with a miss'],
    ['sessions of one event each', latencies(58, 1, (i) => 100 + i), 'invalid', 'needs 1 more like these'],
    ['enough of those', latencies(59, 1, (i) => 100 + i), 'pass', 'proven'],
    ['events that are all equal', latencies(20, 50, () => 100), 'invalid', 'needs 41 more like these'],
    ['events that all miss', latencies(20, 50, () => 900), 'fail', '1000 of 1000 missed'],
    ['one session that all misses', latencies(1, 50, () => 900), 'fail', '50 of 50 missed'],
  ])('%s', (_, all, verdict, reason) => {
    const result = judged(p95, spoken(all));
    expect(result).toMatchObject({ verdict });
    expect(result.reason).toContain(reason);
    expect(JSON.stringify(result)).not.toContain('null');
  });

  it('says how many sessions are missing in samples too', () => {
    const result = judged(p95, spoken(alike(20)));
    expect(result.needsSessions).toBeGreaterThan(10);
    expect(result.needsMore).toBe(50 * result.needsSessions!);
  });

  it('are not, when samples are taken as independent: what it then rests on is in the reason', () => {
    const given = spoken(alike(20));
    const result = judged(p95, given, { assumeIndependent: true });
    expect(result).toMatchObject({
      verdict: 'pass',
      reason: 'proven at 95 % confidence; samples taken as independent',
      clustered: { sessions: 20, proven: false },
    });
  });

  it('taken as independent fail as they do, and are no data where there is none', () => {
    const missed = judged(p95, spoken(latencies(20, 50, () => 900)), { assumeIndependent: true });
    expect(missed).toMatchObject({ verdict: 'fail', reason: '1000 of 1000 missed', clustered: { sessions: 20 } });
    const silent = judged(p95, { strata: [{ [p95]: emptyClusterSums() }] }, { assumeIndependent: true });
    expect(silent).toMatchObject({ verdict: 'invalid', objective: p95, reason: 'no data' });
  });

  it.each<[string, number, boolean]>([
    ['sessions that mix', 20, true],
    ['sessions each with its own mean', 20, false],
  ])('the mean of %s', (_, sessions, mixes) => {
    const source = 'mean(feedback_latency) < 122ms';
    const all = mixes ? mixed(sessions) : alike(sessions);
    const sums = emptyClusterSums();
    for (const one of all)
      addClusterSums(
        sums,
        sessionSums(
          one.length,
          one.reduce((sum, ms) => sum + ms, 0),
        ),
      );
    const distributions = { feedback_latency: distributionOf(...all.flat()) };
    const result = judged(source, { distributions, strata: [{ [source]: sums }] });
    expect(result.verdict).toBe(mixes ? 'pass' : 'invalid');
    expect(judged(source, { distributions }).verdict).toBe('pass');
  });

  it('a share of which nothing was missed is told by the latencies behind it', () => {
    const source = 'availability >= 99%';
    const given = (all: readonly (readonly number[])[]) => ({
      shares: { availability: { good: all.flat().length, total: all.flat().length } },
      strata: [{ [source]: sumsOfLatencies(all, Number.POSITIVE_INFINITY) }],
    });
    expect(judged(source, given(mixed(20))).verdict).toBe('pass');
    expect(judged(source, given(alike(20)))).toMatchObject({ verdict: 'invalid', needsSessions: expect.any(Number) });
  });
});
