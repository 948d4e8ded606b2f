import { describe, expect, it } from 'vitest';
import {
  badRate,
  badShare,
  eventCount,
  promDuration,
  totalRate,
  withMatchers,
} from '../../../src/slo/service-level/promql.ts';
import type { Indicator } from '../../../src/slo/service-level/service-level.ts';

const latency: Indicator = { latency: { histogram: 'h', atMost: 500, unit: 's' } };
const ofJob: Indicator = { latency: { ...latency.latency!, matchers: 'job="a"' } };
const bad: Indicator = { events: { bad: 'bad_total{a="b"}', total: 'all_total' } };
const good: Indicator = { events: { good: 'good_total', total: 'max(x[5m])' } };

describe('a query', () => {
  it.each([
    [latency, 'sum(rate(h_count[1h]))'],
    [ofJob, 'sum(rate(h_count{job="a"}[1h]))'],
    [bad, 'sum(rate(all_total[1h]))'],
    [good, '(max(x[1h]))'],
  ])('of all events of %j is %s', (indicator, rate) => {
    expect(totalRate(indicator, '1h')).toBe(rate);
    expect(eventCount(indicator, '1h', 3_600_000)).toBe(`${rate} * 3600`);
  });

  it.each([
    [latency, 'clamp_min(sum(rate(h_count[5m])) - (sum(rate(h_bucket{le="0.5"}[5m])) or vector(0)), 0)'],
    [ofJob, 'clamp_min(sum(rate(h_count{job="a"}[5m])) - (sum(rate(h_bucket{job="a",le="0.5"}[5m])) or vector(0)), 0)'],
    [bad, '(sum(rate(bad_total{a="b"}[5m])) or vector(0))'],
    [good, 'clamp_min((max(x[5m])) - (sum(rate(good_total[5m])) or vector(0)), 0)'],
  ])('of bad events of %j is %s', (indicator, rate) => {
    expect(badRate(indicator, '5m')).toBe(rate);
    expect(badShare(indicator, '5m')).toBe(`${rate} / (${totalRate(indicator, '5m')} > 0)`);
  });

  it.each([
    ['s', 250, 'le="0.25"'],
    ['s', 1000, 'le=~"1(\\\\.0)?"'],
    ['ms', 250, 'le=~"250(\\\\.0)?"'],
    ['us', 0.0025, 'le="2.5"'],
    ['ns', 0.001, 'le=~"1000(\\\\.0)?"'],
  ] as const)('finds in %s the bucket of %d ms', (unit, atMost, matcher) => {
    expect(badRate({ latency: { histogram: 'h', atMost, unit } }, '5m')).toContain(`h_bucket{${matcher}}[5m]`);
  });

  it('of an indicator that has neither is nobody else’s mistake', () => {
    expect(() => totalRate({}, '5m')).toThrow(new TypeError('an indicator has latency or events'));
  });
});

describe('the events of one version', () => {
  const version = 'v="2"';

  it.each([
    [latency, { latency: { ...latency.latency, matchers: version } }],
    [ofJob, { latency: { ...latency.latency, matchers: 'job="a",v="2"' } }],
    [bad, { events: { bad: 'bad_total{a="b",v="2"}', total: 'all_total{v="2"}' } }],
    [{ events: { good: 'g', total: 'sum(t)' } }, { events: { good: 'g{v="2"}', total: 't{v="2"}' } }],
  ])('of %j are %j', (indicator, expected) => {
    expect(withMatchers(indicator, version)).toEqual(expected);
  });

  it('leave the indicator of all of them as it was', () => {
    const before = structuredClone(ofJob);
    withMatchers(ofJob, version);
    expect(ofJob).toEqual(before);
  });

  it('keep the metric of a load test', () => {
    const loadtest = { metric: 'availability' } as const;
    expect(withMatchers({ ...latency, loadtest }, version).loadtest).toEqual(loadtest);
  });

  it('cannot be told apart in PromQL', () => {
    expect(() => withMatchers(good, version)).toThrow(
      expect.objectContaining({
        code: 'bad_selector',
        message: '"max(x[5m])" is not a series whose version can be chosen',
        hint: 'write the series alone, without functions; its rate is taken over every window',
      }),
    );
  });
});

it.each([
  [1, '1ms'],
  [999, '999ms'],
  [1000, '1s'],
  [1001, '1001ms'],
  [60_000, '1m'],
  [61_000, '61s'],
  [3_600_000, '1h'],
  [3_660_000, '61m'],
  [86_400_000, '1d'],
  [90_000_000, '25h'],
  [2_592_000_000, '30d'],
])('a range of %d ms is %s', (ms, text) => {
  expect(promDuration(ms)).toBe(text);
});
