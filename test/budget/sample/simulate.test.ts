import { describe, expect, it } from 'vitest';
import type { Budget } from '../../../src/budget/file/budget.ts';
import { simulateBudget } from '../../../src/budget/sample/simulate.ts';
import { quantileInPlace } from '../../../src/stats/quantile.ts';

describe('simulated traces', () => {
  it('have the declared percentiles and correlation', () => {
    const { stages } = simulateBudget(declared(0.6))!;
    expect(Math.abs(quantileInPlace(stages[0]!.ms.slice(), 0.95) / 110 - 1)).toBeLessThan(0.03);
    expect(Math.abs(quantileInPlace(stages[1]!.ms.slice(), 0.5) / 150 - 1)).toBeLessThan(0.03);
    expect(Math.abs(correlation(stages[0]!.ms.map(Math.log), stages[1]!.ms.map(Math.log)) - 0.6)).toBeLessThan(0.03);
  });

  it('are the same for the same seed', () => {
    expect(simulateBudget(declared(0))).toEqual(simulateBudget(declared(0)));
    expect(simulateBudget({ ...declared(0), seed: 2 })).not.toEqual(simulateBudget(declared(0)));
  });

  it('are as many as asked for, a constant the same in each, and their total is the sum', () => {
    const budget = declared(0);
    const stages = [
      { ...budget.stages[0]!, distribution: { kind: 'constant', ms: 20 } as const },
      { ...budget.stages[1]!, distribution: { kind: 'normal', meanMs: 100, sdMs: 10 } as const },
    ];
    const sample = simulateBudget({ ...budget, stages, samples: 50 })!;
    expect(sample.n).toBe(50);
    expect(sample.stages.map(({ name }) => name)).toEqual(['network', 'asr']);
    expect(sample.stages[0]!.ms).toEqual(new Float64Array(50).fill(20));
    expect(sample.totals).toEqual(sample.stages[1]!.ms.map((ms) => 20 + ms));
    expect(sample.unattributed).toEqual(new Float64Array(50));
  });

  it.each([
    [1, 1],
    [-1, -1],
  ])('correlated by %i move together', (rho, sign) => {
    const budget = declared(rho);
    const normal = { kind: 'normal', meanMs: 100, sdMs: 10 } as const;
    const stages = budget.stages.map((stage) => ({ ...stage, distribution: normal }));
    const [a, b] = simulateBudget({ ...budget, stages, samples: 50 })!.stages;
    a!.ms.forEach((ms, i) => {
      expect(b!.ms[i]! - 100).toBeCloseTo(sign * (ms - 100), 6);
    });
    expect(new Set(a!.ms).size).toBe(50);
  });

  it('are none when the correlations contradict one another', () => {
    const budget = declared(-0.9);
    const stages = [...budget.stages, { ...budget.stages[1]!, name: 'third' }];
    expect(simulateBudget({ ...budget, stages })).toBeUndefined();
  });

  it('are none when a stage declares nothing', () => {
    const budget = declared(0);
    const stages = [budget.stages[0]!, { ...budget.stages[1]!, distribution: undefined }];
    expect(simulateBudget({ ...budget, stages })).toBeUndefined();
  });
});

function declared(rho: number): Budget {
  return {
    name: 'declared',
    measure: undefined,
    objective: { percentile: 95, op: 'lte', valueMs: 500 },
    interpretation: 'contribution',
    stages: [
      { name: 'network', budgetMs: 100, of: ['network'], distribution: { kind: 'lognormal', p50Ms: 55, p95Ms: 110 } },
      { name: 'asr', budgetMs: 400, of: ['asr'], distribution: { kind: 'lognormal', p50Ms: 150, p95Ms: 270 } },
    ],
    reserveMs: 0,
    unattributed: [],
    correlation: rho,
    gate: { confidence: 0.95, minSamples: 200, onInvalid: 'invalid', stages: 'report' },
    whatIf: [],
    samples: 20_000,
    replicates: 50,
    seed: 1,
  };
}

function correlation(a: Float64Array, b: Float64Array): number {
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [ma, mb] = [mean(a), mean(b)];
  const product = (x: Float64Array, y: Float64Array, mx: number, my: number) =>
    x.reduce((sum, value, i) => sum + (value - mx) * (y[i]! - my), 0);
  return product(a, b, ma, mb) / Math.sqrt(product(a, a, ma, ma) * product(b, b, mb, mb));
}
