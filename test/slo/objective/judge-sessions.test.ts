import { describe, expect, it } from 'vitest';
import type { ClusterSums } from '../../../src/metrics/cluster-sums.ts';
import type { Distribution, Measurements } from '../../../src/metrics/definitions.ts';
import { clusteredMean, dependence, sessionsToProve } from '../../../src/slo/objective/clustered.ts';
import { parseObjective } from '../../../src/slo/objective/expression.ts';
import { sessionsNeeded } from '../../../src/slo/objective/sessions-needed.ts';
import { judge } from '../../../src/slo/objective/verdict.ts';
import { upperRank } from '../../../src/stats/order-statistics.ts';
import { shareUpper } from '../../../src/stats/share-bounds.ts';
import { sumsOfLatencies, sumsOfMisses } from '../../kit/cluster-sums.ts';
import { emptyMeasurements } from '../../kit/measurements.ts';
import { distributionOf } from '../../kit/samples.ts';

const confidence = 0.95;

describe('a mean by sessions', () => {
  /** Sessions of ten samples that all have the session's own latency, or lie 5 ms to either side of it. */
  const sessionsOf = (levels: readonly number[], spreadMs = 5) =>
    levels.map((ms) => Array.from({ length: 10 }, (_, j) => ms + (j % 2 === 0 ? spreadMs : -spreadMs)));
  const sumsOf = (sessions: readonly (readonly number[])[]) =>
    sumsOfMisses(sessions.map((one) => [one.length, one.reduce((sum, ms) => sum + ms, 0)] as const));
  const judged = (sessions: readonly (readonly number[])[], boundMs: number) => {
    const source = `mean(feedback_latency) < ${boundMs}ms`;
    return judgedOf(source, { feedback_latency: distributionOf(...sessions.flat()) }, [sumsOf(sessions)]);
  };
  const levels = [90, 100, 110, 95, 105, 100];

  it('is proven by what their spread leaves', () => {
    const sessions = sessionsOf(levels);
    const found = clusteredMean([sumsOf(sessions)], confidence)!;
    // Of 60 samples the mean of squares is that of the levels, 125 / 3, and 25 of their own.
    const effect = found.deviation ** 2 / ((125 / 3 + 25) / 60);
    expect(effect).toBeGreaterThan(5);
    expect(judged(sessions, 110)).toMatchObject({
      verdict: 'pass',
      reason: 'proven at 95 % confidence',
      value: 100,
      confidenceBound: found.bound,
      needsMore: undefined,
      needsSessions: undefined,
      clustered: {
        sessions: 6,
        designEffect: expect.closeTo(effect, 6),
        effectiveSamples: expect.closeTo(60 / effect, 6),
        confidenceBound: found.bound,
        proven: true,
      },
    });
  });

  it('is not where the samples alone prove it, and says how many sessions would', () => {
    const sessions = sessionsOf(levels);
    const { bound } = clusteredMean([sumsOf(sessions)], confidence)!;
    // The bound lies about 6 ms above the mean; that it may lie 3 takes some four times the sessions.
    const more = Math.ceil(6 * (((bound - 100) / 3) ** 2 - 1));
    expect(more).toBeGreaterThan(10);
    expect(judged(sessions, 103)).toMatchObject({
      verdict: 'invalid',
      reason: `not proven by 6 sessions; needs ${more} more like these`,
      confidenceBound: bound,
      needsSessions: more,
      needsMore: 10 * more,
      clustered: { sessions: 6, proven: false, confidenceBound: bound },
    });
  });

  it('of samples that prove nothing themselves stays so, with the sessions that it takes', () => {
    const few = sessionsOf([90, 110]);
    expect(judged(few, 300)).toMatchObject({
      verdict: 'invalid',
      reason: 'not proven; needs 10 more samples like these',
      needsSessions: 1,
      needsMore: 10,
      clustered: { sessions: 2, proven: false },
    });
    expect(judged(few, 110)).toMatchObject({ verdict: 'invalid' });
    expect(judged(few, 110).needsSessions).toBeGreaterThan(20);
  });

  it.each([
    ['samples that depart more than the sessions', sessionsOf([100, 100, 100, 100, 100], 20)],
    ['samples that are all equal', sessionsOf([100, 100, 100, 100, 100], 0)],
  ])('has a design effect of 1 at least: %s', (_, sessions) => {
    expect(judged(sessions, 110)).toMatchObject({
      verdict: 'pass',
      clustered: { designEffect: 1, effectiveSamples: 50, proven: true },
    });
  });

  it('of one session is told by no other', () => {
    expect(judged(sessionsOf([100]), 110)).toMatchObject({
      verdict: 'invalid',
      reason: 'not proven by 1 session; needs 1 more like it, none with a miss',
      confidenceBound: undefined,
      needsSessions: 1,
      needsMore: 10,
      clustered: undefined,
    });
  });

  it('that misses is missed, whatever the sessions', () => {
    const missed = judged(sessionsOf(levels), 99);
    expect(missed).toMatchObject({ verdict: 'fail', reason: 'the mean is over the bound', clustered: undefined });
    expect(missed.needsSessions).toBeUndefined();
  });
});

describe('a share by sessions', () => {
  const source = 'availability >= 90%';
  const claim = { missShare: 1 - 0.9, confidence, latencies: false };
  const judged = (...strata: ClusterSums[]) => {
    const total = strata.reduce((sum, { samples }) => sum + samples, 0);
    const good = total - strata.reduce((sum, { misses }) => sum + misses, 0);
    return judgedOf(source, {}, strata, { availability: { good, total } });
  };

  it('is proven by their worth', () => {
    const sums = sumsOfMisses(Array(200).fill([5, 0]));
    const worth = dependence([sums], claim)!;
    const bound = 1 - shareUpper(worth.misses, worth.samples, confidence);
    expect(judged(sums)).toMatchObject({
      verdict: 'pass',
      reason: 'proven at 95 % confidence',
      confidenceBound: bound,
      needsMore: undefined,
      needsSessions: undefined,
      clustered: {
        sessions: 200,
        designEffect: worth.designEffect,
        effectiveSamples: worth.samples,
        confidenceBound: bound,
        proven: true,
      },
    });
  });

  it('is not where they are too few, and says how many more it takes', () => {
    const sums = sumsOfMisses(Array.from({ length: 20 }, (_, i) => [30, i < 2 ? 10 : 0] as const));
    const worth = dependence([sums], claim)!;
    const more = sessionsToProve([sums], worth, claim);
    expect(more).toBeGreaterThan(1);
    expect(judged(sums)).toMatchObject({
      verdict: 'invalid',
      reason: `not proven by 20 sessions (design effect ${worth.designEffect.toFixed(1)}); needs ${more} more like these, none with a miss`,
      needsSessions: more,
      needsMore: 30 * more,
      confidenceBound: 1 - shareUpper(worth.misses, worth.samples, confidence),
      clustered: { sessions: 20, proven: false },
    });
  });

  it.each([
    ['one session', [sumsOfMisses([[50, 0]])], 1, 50],
    ['nobody', [sumsOfMisses([])], 0, 0],
  ])('of %s is told by none', (_, strata, sessions, samples) => {
    const needed = sessionsNeeded({ missShare: claim.missShare, samplesASession: samples, confidence });
    const verdict = judged(...strata);
    expect(verdict).toMatchObject({
      verdict: 'invalid',
      needsSessions: needed.least - sessions,
      confidenceBound: undefined,
      clustered: undefined,
    });
    if (sessions === 1)
      expect(verdict).toMatchObject({
        needsMore: 50 * (needed.least - 1),
        reason: `not proven by 1 session; needs ${needed.least - 1} more like it, none with a miss`,
      });
  });

  it('that is missed stays missed, beside what the sessions say', () => {
    const sums = sumsOfMisses(Array(20).fill([10, 5]));
    expect(judged(sums)).toMatchObject({
      verdict: 'fail',
      reason: '100 of 200 missed',
      clustered: { sessions: 20, proven: false },
    });
    expect(judged(sums).needsSessions).toBeUndefined();
  });
});

describe('a quantile by sessions', () => {
  const source = 'p95(feedback_latency) < 500ms';
  const mixed = Array.from({ length: 60 }, (_, i) =>
    Array.from({ length: 20 }, (_, j) => 100 + ((7 * i + 13 * j) % 41)),
  );

  it('is bounded by the order statistic of their worth', () => {
    const strata = [sumsOfLatencies(mixed)];
    const worth = dependence(strata, { missShare: 1 - 0.95, confidence, latencies: true })!;
    const sorted = mixed.flat().toSorted((a, b) => a - b);
    const fewer = Math.floor(worth.samples);
    const rank = Math.ceil((upperRank(fewer, 0.95, confidence)! / fewer) * sorted.length);
    expect(judgedOf(source, { feedback_latency: distributionOf(...mixed.flat()) }, strata)).toMatchObject({
      verdict: 'pass',
      confidenceBound: expect.closeTo(sorted[rank - 1]!, 9),
      clustered: { designEffect: worth.designEffect, effectiveSamples: worth.samples, proven: true },
    });
  });

  it.each(['send_lateness', 'shaping_lateness'] as const)(
    'is no matter of %s, which is the generator’s own',
    (metric) => {
      const own = judgedOf(`p95(${metric}) < 500ms`, { [metric]: distributionOf(...mixed.flat()) }, [
        sumsOfLatencies(mixed.slice(0, 1)),
      ]);
      expect(own).toMatchObject({ verdict: 'pass', clustered: undefined, needsSessions: undefined });
    },
  );
});

/** The verdict of one objective whose sessions, if the metric has any, stand in these strata. */
function judgedOf(
  source: string,
  distributions: Record<string, Distribution>,
  strata: readonly ClusterSums[],
  shares: Partial<Measurements['shares']> = {},
) {
  const empty = emptyMeasurements();
  return judge(parseObjective(source), {
    ...empty,
    distributions: { ...empty.distributions, ...distributions },
    shares: { ...empty.shares, ...shares },
    strata: strata.map((sums) => ({ [source]: sums })),
  });
}
