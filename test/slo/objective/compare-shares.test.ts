import { describe, expect, it } from 'vitest';
import { observedEffect } from '../../../src/slo/objective/clustered.ts';
import { type ComparedShare, oneASession, shiftOfShare } from '../../../src/slo/objective/compare-shares.ts';
import { studentQuantile, welchShift } from '../../../src/stats/student.ts';
import { sumsOfMisses } from '../../kit/cluster-sums.ts';

const options = { margin: 0.001, confidence: 0.95 };

/** A run of sessions of twenty events each, of which so many were bad. */
function runOf(...bad: number[]): ComparedShare {
  const total = 20 * bad.length;
  const sums = sumsOfMisses(bad.map((misses) => [20, misses] as const));
  return { good: total - bad.reduce((sum, one) => sum + one, 0), total, strata: [sums] };
}

/** Agresti and Caffo's variance of one side's share at the events' worth. */
function varianceOf(good: number, total: number, effect: number): number {
  const worth = total / effect + 2;
  const share = (good / effect + 1) / worth;
  return (share * (1 - share)) / worth;
}

describe('the shift of a share', () => {
  it('is bounded by the sessions, at what their events are worth', () => {
    const [was, is] = [runOf(2, 4, 9, 5), runOf(1, 3, 6, 2)];
    const effect = observedEffect([...was.strata, ...is.strata], 0.001);
    expect(effect).toBeGreaterThan(1.2);
    const reach = studentQuantile(0.95, 6) * Math.sqrt(varianceOf(60, 80, effect) + varianceOf(68, 80, effect));
    expect(shiftOfShare([was], [is], options)).toEqual({
      baseline: 0.75,
      candidate: 0.85,
      shift: expect.closeTo(0.1, 12),
      lower: expect.closeTo(0.1 - reach, 9),
      upper: expect.closeTo(0.1 + reach, 9),
      method: 'shares',
    });
  });

  it.each<[string, ComparedShare[], ComparedShare[]]>([
    ['runs that differ more than their sessions', [runOf(0, 0, 0), runOf(9, 9, 9)], [runOf(4, 4, 4), runOf(1, 1, 1)]],
    ['runs that agree, of sessions that do not', [runOf(0, 9), runOf(9, 0)], [runOf(0, 8), runOf(0, 8)]],
    ['runs of different lengths', [runOf(2, 3), runOf(3, 9, 1, 4, 2)], [runOf(5, 1), runOf(2, 2, 7)]],
  ])('of %s is never better known than either tells', (_, was, is) => {
    const shares = [was, is].map((runs) => runs.map(({ good, total }) => good / total)) as [number[], number[]];
    const byRuns = welchShift(shares[1], shares[0], 0.95);
    const pooled = (runs: ComparedShare[]) => ({
      good: runs.reduce((sum, { good }) => sum + good, 0),
      total: runs.reduce((sum, { total }) => sum + total, 0),
      strata: runs.flatMap(({ strata }) => strata),
    });
    const bySessions = shiftOfShare([pooled(was)], [pooled(is)], options)!;
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(shiftOfShare(was, is, options)).toEqual({
      baseline: expect.closeTo(mean(shares[0]), 12),
      candidate: expect.closeTo(mean(shares[1]), 12),
      shift: expect.closeTo(mean(shares[1]) - mean(shares[0]), 12),
      lower: Math.min(byRuns.lower, bySessions.lower),
      upper: Math.max(byRuns.upper, bySessions.upper),
      method: 'welch',
    });
  });

  it.each<[string, ComparedShare[], ComparedShare[]]>([
    ['the baseline', [runOf(2, 4), oneASession(0, 0)], [runOf(1, 3), runOf(2, 2)]],
    ['the candidate', [runOf(1, 3), runOf(2, 2)], [oneASession(0, 0), runOf(2, 4)]],
  ])('goes by sessions where all runs of %s but one have no events', (_, was, is) => {
    const found = shiftOfShare(was, is, options)!;
    expect(found.method).toBe('shares');
    expect(Object.values(found)).not.toContain(Number.NaN);
    expect([found.baseline, found.candidate]).toEqual(
      was.length === 2 && was[1]!.total === 0 ? [0.85, 0.9] : [0.9, 0.85],
    );
  });

  it('leaves runs without events out of several', () => {
    const [was, is] = [
      [runOf(2, 4), runOf(3, 5)],
      [runOf(1, 3), runOf(2, 2)],
    ];
    expect(shiftOfShare([...was, oneASession(0, 0)], [oneASession(0, 0), ...is], options)).toEqual(
      shiftOfShare(was, is, options),
    );
  });

  it.each<[string, ComparedShare, ComparedShare, number]>([
    ['one session on each side tells nothing', runOf(2), runOf(3), Number.POSITIVE_INFINITY],
    ['two on one side tell one degree of freedom', runOf(2, 4), runOf(3), 1],
    ['two on the other too', runOf(3), runOf(2, 4), 1],
  ])('%s', (_, was, is, freedom) => {
    const found = shiftOfShare([was], [is], options)!;
    const shift = is.good / is.total - was.good / was.total;
    expect(found.shift).toBeCloseTo(shift, 12);
    if (freedom > 1) {
      expect([found.lower, found.upper]).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
      return;
    }
    const effect = observedEffect([...was.strata, ...is.strata], 0.001);
    const variance = varianceOf(was.good, was.total, effect) + varianceOf(is.good, is.total, effect);
    expect(found.upper - found.shift).toBeCloseTo(studentQuantile(0.95, 1) * Math.sqrt(variance), 9);
  });

  it('is nothing where a side has no events', () => {
    expect(shiftOfShare([oneASession(0, 0)], [runOf(1)], options)).toBeUndefined();
    expect(shiftOfShare([runOf(1)], [oneASession(0, 0)], options)).toBeUndefined();
    expect(shiftOfShare([runOf(1)], [], options)).toBeUndefined();
  });
});

it('sessions with one event each add up as such', () => {
  const sums = sumsOfMisses([...Array(8).fill([1, 0]), [1, 1], [1, 1]]);
  expect(oneASession(8, 10)).toEqual({ good: 8, total: 10, strata: [sums] });
});
