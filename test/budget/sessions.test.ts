import { describe, expect, it } from 'vitest';
import { analyse } from '../../src/budget/analyse.ts';
import { decompose } from '../../src/budget/decompose/decompose.ts';
import { quantileInterval, sessionsWorth, worthAt } from '../../src/budget/decompose/worth.ts';
import { budgetOf, latencyBudget } from '../../src/budget/file/schema.ts';
import { clustersOf } from '../../src/budget/sample/clusters.ts';
import { pick, type Sample, sampleOf } from '../../src/budget/sample/sample.ts';
import { createRandom } from '../../src/stats/random.ts';

const confidence = 0.95;

describe('the sessions of traces', () => {
  it('are told by name; a trace without one is a session of its own', () => {
    expect(clustersOf(['a', undefined, 'a', undefined], 4)).toEqual({ codes: Uint32Array.of(0, 1, 0, 2), count: 3 });
  });

  it.each([
    ['nobody names one', [undefined, undefined]],
    ['each has one trace', ['a', 'b']],
  ])('make no difference where %s', (_, sessions) => {
    expect(clustersOf(sessions, 2)).toBeUndefined();
  });

  it('go with the traces that are picked', () => {
    const sample: Sample = {
      ...sampleOf([{ name: 'a', ms: Float64Array.of(1, 2, 3, 4, 5) }]),
      clusters: clustersOf(['x', 'y', 'x', 'y', 'y'], 5),
    };
    expect(pick(sample, [1, 3, 0]).clusters).toEqual({ codes: Uint32Array.of(0, 0, 1), count: 2 });
    expect(pick(sample, [0, 1]).clusters).toBeUndefined();
  });
});

describe('what traces are worth', () => {
  it('is their number where sessions mix, and that of the sessions where each is alike', () => {
    const clusters = clustersOf(names(40, 50), 2000)!;
    const mixed = Float64Array.from({ length: 2000 }, (_, i) => (i * 769) % 2000);
    const alike = Float64Array.from({ length: 2000 }, (_, i) => Math.floor(i / 50));
    expect(worthAt(mixed, 1899, { clusters, confidence }).traces).toBeGreaterThan(1400);
    expect(worthAt(alike, 37, { clusters, confidence }).designEffect).toBeCloseTo(50, -1);
    expect(worthAt(alike, 37, { clusters, confidence }).traces).toBeLessThan(41);
  });

  it.each([
    ['all equal', () => 7],
    ['never come', () => Number.POSITIVE_INFINITY],
  ])('is that of the sessions where values %s', (_, value) => {
    const values = Float64Array.from({ length: 200 }, value);
    const worth = worthAt(values, value(), { clusters: clustersOf(names(10, 20), 200), confidence });
    expect(worth).toMatchObject({ sessions: 10, designEffect: 20 });
    expect(worth.traces).toBeGreaterThan(7);
  });

  it('of one session is one', () => {
    const clusters = clustersOf(names(1, 300), 300);
    expect(
      worthAt(
        Float64Array.from({ length: 300 }, (_, i) => i),
        284,
        { clusters, confidence },
      ).traces,
    ).toBe(1);
  });

  it('of so many sessions is what was asked for', () => {
    const found = { n: 1000, sessions: 20, designEffect: 10 };
    const needed = sessionsWorth(72, found, confidence);
    expect(needed).toBeGreaterThan(14);
    expect(needed).toBeLessThan(25);
  });
});

describe('the interval of a quantile', () => {
  const sorted = Float64Array.from({ length: 100 }, (_, i) => i + 1);
  const worth = (traces: number) => ({ sessions: undefined, designEffect: 1, traces });

  it('has the equal-tailed ranks of independent traces: 90 and 100 of 100', () => {
    expect(quantileInterval(sorted, 0.95, worth(100), confidence)).toEqual({ low: 90, high: 100 });
  });

  it('widens as traces are worth less, and opens where none bounds the quantile', () => {
    const at = (traces: number) => quantileInterval(sorted, 0.5, worth(traces), confidence);
    expect(at(25).low).toBeLessThan(at(100).low);
    expect(at(25).high).toBeGreaterThan(at(100).high);
    expect(quantileInterval(sorted, 0.95, worth(71), confidence).high).toBe(Number.POSITIVE_INFINITY);
    expect(at(1)).toEqual({ low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY });
  });
});

describe('a budget of few sessions', () => {
  const budget = budgetOf(
    latencyBudget.parse({
      kind: 'LatencyBudget',
      spec: { objective: { percentile: 95, value: '500ms' }, stages: [{ name: 'a', budget: '500ms' }] },
    }),
  );
  /** One level a session, from which its traces hardly depart. */
  const alike = (sessions: number, traces: number): Sample => {
    const random = createRandom(3);
    const levels = Array.from({ length: sessions }, () => 100 + 20 * random.normal());
    const ms = Float64Array.from(
      { length: sessions * traces },
      (_, i) => levels[Math.floor(i / traces)]! + random.normal(),
    );
    return { ...sampleOf([{ name: 'a', ms }]), clusters: clustersOf(names(sessions, traces), ms.length) };
  };

  it('proves nothing, says how many more it takes, and those do', () => {
    const { verdict, total } = analyse(budget, alike(20, 50), 'measured');
    expect(verdict).not.toBe('pass');
    expect(total).toMatchObject({ enough: false, worth: { sessions: 20 } });
    expect(total!.moreSessions).toBeGreaterThan(30);
    expect(analyse(budget, alike(20 + 2 * total!.moreSessions!, 50), 'measured').verdict).toBe('pass');
  });

  it('is judged as before when samples are taken as independent', () => {
    const { verdict, total } = analyse(budget, { ...alike(20, 50), clusters: undefined }, 'measured');
    expect(verdict).toBe('pass');
    expect(total!.worth).toEqual({ sessions: undefined, designEffect: 1, traces: 1000 });
  });

  it('gives its what-ifs the interval of their percentile', () => {
    const changed = {
      ...budget,
      whatIf: [{ name: 'more', changes: [{ stage: 'a', kind: 'shift', byMs: 100 } as const] }],
    };
    const { total, whatIf } = analyse(changed, alike(200, 10), 'measured');
    expect(whatIf[0]!.interval.low).toBeCloseTo(total!.interval.low + 100, 9);
    expect(whatIf[0]!.interval.high).toBeCloseTo(total!.interval.high + 100, 9);
  });

  it('draws whole sessions: the shares of alike traces are known no better than their sessions', () => {
    const sample = alike(50, 40);
    const twoStages: Sample = {
      ...sample,
      stages: [
        { name: 'a', ms: sample.totals.map((total, i) => total * (0.4 + (0.2 * (Math.floor(i / 40) % 5)) / 4)) },
        { name: 'b', ms: sample.totals.map((total, i) => total * (0.6 - (0.2 * (Math.floor(i / 40) % 5)) / 4)) },
      ],
    };
    const width = (one: Sample) => {
      const { interval } = decompose(one, { p: 0.95, confidence, replicates: 100, seed: 1 }).contributions[0]!;
      return interval.high - interval.low;
    };
    expect(width(twoStages)).toBeGreaterThan(3 * width({ ...twoStages, clusters: undefined }));
  });
});

/** A name a trace: so many sessions, one after the other, of so many traces. */
function names(sessions: number, traces: number): string[] {
  return Array.from({ length: sessions * traces }, (_, i) => `s${Math.floor(i / traces)}`);
}
