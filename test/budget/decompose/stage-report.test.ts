import { describe, expect, it } from 'vitest';
import { guaranteedLevel, partsOf, promisedLevel, reportStage } from '../../../src/budget/decompose/stage-report.ts';
import { budgetOf, latencyBudget } from '../../../src/budget/file/schema.ts';
import { clusterSizes, clustersOf, pickClusters } from '../../../src/budget/sample/clusters.ts';
import { pick, sampleOf } from '../../../src/budget/sample/sample.ts';

const budgetWith = (spec: object) =>
  budgetOf(
    latencyBudget.parse({
      kind: 'LatencyBudget',
      spec: {
        objective: { percentile: 95, value: '100ms' },
        stages: [
          { name: 'a', budget: '60ms' },
          { name: 'b', budget: '40ms' },
        ],
        ...spec,
      },
    }),
  );

describe('a stage beside its budget', () => {
  const ms = Float64Array.from({ length: 100 }, (_, i) => 100 - i);
  const report = (spec: object, contribution: { ms: number; low: number; high: number }, enough = true) => {
    const budget = budgetWith(spec);
    const interval = { low: contribution.low, high: contribution.high };
    const given = { ms: contribution.ms, interval };
    return reportStage(budget, budget.stages[0]!, { ms, clusters: undefined }, given, enough);
  };

  it('is judged by its contribution', () =>
    expect(report({}, { ms: 50, low: 40, high: 55 })).toEqual({
      name: 'a',
      budgetMs: 60,
      p50Ms: 50,
      p95Ms: 95,
      contribution: { ms: 50, interval: { low: 40, high: 55 } },
      judged: { what: 'contribution', ms: 50, interval: { low: 40, high: 55 } },
      verdict: 'pass',
      moreTraces: undefined,
      worthMs: 50 / 50.5,
    }));

  it.each([
    ['fails above its budget', { ms: 70, low: 61, high: 80 }, true, 'fail', undefined],
    ['keeps it at the budget itself', { ms: 50, low: 40, high: 60 }, true, 'pass', undefined],
    ['straddles it, and says how many more decide', { ms: 55, low: 45, high: 65 }, true, 'invalid', 300],
    ['is not judged when traces are too few', { ms: 70, low: 61, high: 80 }, false, 'invalid', undefined],
    ['is not judged without a figure', { ms: Number.NaN, low: 0, high: 10 }, true, 'invalid', undefined],
  ])('%s', (_name, contribution, enough, verdict, moreTraces) =>
    expect(report({}, contribution, enough)).toMatchObject({ verdict, moreTraces }),
  );

  it.each([
    ['stage-percentile', {}, 'p95', 95, { low: 90, high: 100 }, 'fail', undefined],
    ['guaranteed', {}, 'p97.5', 98, { low: 94, high: Infinity }, 'fail', undefined],
    [
      'stage-percentile',
      {
        stages: [
          { name: 'a', budget: '95ms' },
          { name: 'b', budget: '5ms' },
        ],
      },
      'p95',
      95,
      { low: 90, high: 100 },
      'invalid',
      Infinity,
    ],
    [
      'guaranteed',
      {
        stages: [
          { name: 'a', budget: '99ms' },
          { name: 'b', budget: '1ms' },
        ],
      },
      'p97.5',
      98,
      { low: 94, high: Infinity },
      'invalid',
      46,
    ],
  ])('as %s with %j is judged by its %s', (interpretation, spec, what, value, interval, verdict, moreTraces) =>
    expect(report({ ...spec, interpretation }, { ms: 1, low: 1, high: 1 })).toMatchObject({
      judged: { what, ms: value, interval },
      verdict,
      moreTraces,
    }),
  );

  it('that takes no time is worth nothing that could be told', () => {
    const budget = budgetWith({});
    const none = { ms: 0, interval: { low: 0, high: 0 } };
    const times = { ms: new Float64Array(10), clusters: undefined };
    expect(reportStage(budget, budget.stages[1]!, times, none, true)).toMatchObject({ name: 'b', worthMs: Number.NaN });
  });

  it.each([
    [0.95, 6, 0.7, 1 - 0.05 / 6],
    [0.95, 1, 0.95, 0.95],
    [0.9, 10, 0, 0.99],
    [0.5, 4, 0, 0.875],
  ])('at %f is one of %i parts: what they promise, what each must keep', (p, parts, promised, guaranteed) => {
    expect(promisedLevel(p, parts)).toBeCloseTo(promised, 12);
    expect(guaranteedLevel(p, parts)).toBeCloseTo(guaranteed, 12);
  });

  it('shares with a reserve where there is one', () => {
    const stages = [{ name: 'a', budget: '90ms' }];
    expect(partsOf(budgetWith({ stages, reserve: '10ms' }))).toBe(2);
    expect(partsOf(budgetWith({}))).toBe(2);
  });
});

describe('traces that are picked', () => {
  const sample = {
    ...sampleOf([{ name: 'a', ms: Float64Array.of(1, 2, 3) }], Float64Array.of(10, 20, 30)),
    clusters: clustersOf(['x', 'y', 'x'], 3),
  };

  it('keep their values, in the order asked for', () =>
    expect(pick(sample, [2, 0, 2])).toEqual({
      n: 3,
      stages: [{ name: 'a', ms: Float64Array.of(3, 1, 3) }],
      unattributed: Float64Array.of(30, 10, 30),
      totals: Float64Array.of(33, 11, 33),
      clusters: { codes: Uint32Array.of(0, 0, 0), count: 1 },
    }));

  it('are of sessions of these sizes', () => {
    expect([...clusterSizes(sample.clusters!)]).toEqual([2, 1]);
    expect(pickClusters(sample.clusters, [1, 2, 0])).toEqual({ codes: Uint32Array.of(0, 1, 1), count: 2 });
    expect(pickClusters(sample.clusters, [1, 2])).toBeUndefined();
    expect(pickClusters(undefined, [1, 2])).toBeUndefined();
  });

  it('may be none', () => expect(sampleOf([])).toMatchObject({ n: 0, stages: [], totals: new Float64Array(0) }));
});
