import { describe, expect, it } from 'vitest';
import { type BudgetCase, coverage } from '../../bench/coverage/budget.ts';

const of = (sessions: number, traces: number, alike: number, percentile = 95): BudgetCase => ({
  sessions,
  traces,
  alike,
  lengths: 0,
  percentile,
});

const ofLargest: BudgetCase = { ...of(50, 20, 0.8), alikeIn: 'largest' };

/** Rows of the table in docs/statistics.md with fewer replicates: of 80, 88 to 100 % are within the error of 95 %. */
describe('a budget’s intervals at 95 %', () => {
  it.each([
    ['200 sessions of five traces', of(200, 5, 0.5), 0.93],
    ['fifty of twenty', of(50, 20, 0.5), 0.8],
    ['twenty of fifty that differ little', of(20, 50, 0.2), 0.8],
    ['fifty of twenty that differ in one stage', ofLargest, 0.8],
  ])('hold the percentile, the what-if and the shares: %s', (_, one, before) => {
    const now = coverage(one, 200, 2, { sharesOf: 80 });
    for (const key of ['covered', 'whatIf', 'group', 'shares', 'largest', 'groupLargest'] as const)
      expect(now[key], key).toBeGreaterThanOrEqual(0.88);
    expect(now.falsePass).toBeLessThanOrEqual(0.06);
    expect(coverage(one, 50, 2, { assumeIndependent: true, sharesOf: 0 }).covered).toBeLessThanOrEqual(before);
  });

  it('are no wider than they say where traces are independent', () => {
    const now = coverage(of(20, 50, 0), 2000, 2, { sharesOf: 0 });
    expect(now.covered).toBeGreaterThanOrEqual(0.95);
    expect(now.covered).toBeLessThanOrEqual(0.97);
  });

  it.each([
    ['p95', of(200, 1, 0), 1.6],
    ['p99', of(200, 1, 0, 99), 6],
  ])('hold the largest share of 200 traces at %s, whose mean error is small', (_, one, mostBiasMs) => {
    const now = coverage(one, 100, 4);
    expect(now.largest).toBeGreaterThanOrEqual(0.88);
    expect(Math.abs(now.largestBiasMs)).toBeLessThanOrEqual(mostBiasMs);
  });
});
