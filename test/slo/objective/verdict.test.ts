import { describe, expect, it } from 'vitest';
import { type Measurements, quantile } from '../../../src/metrics/definitions.ts';
import { parseObjective } from '../../../src/slo/objective/expression.ts';
import type { ObjectiveVerdict } from '../../../src/slo/objective/objective-verdict.ts';
import { judge, overall } from '../../../src/slo/objective/verdict.ts';
import { emptyMeasurements, sorted } from '../../kit/measurements.ts';

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

function judged(source: string, given: Given): ObjectiveVerdict {
  const empty = emptyMeasurements();
  return judge(parseObjective(source), {
    ...empty,
    ...given,
    distributions: { ...empty.distributions, ...given.distributions },
    shares: { ...empty.shares, ...given.shares },
    rates: { ...empty.rates, ...given.rates },
    counts: { ...empty.counts, ...given.counts },
  });
}
