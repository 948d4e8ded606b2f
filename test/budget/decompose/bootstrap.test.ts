import { describe, expect, it } from 'vitest';
import { bootstrapContributions } from '../../../src/budget/decompose/bootstrap.ts';
import { bandwidthMs } from '../../../src/budget/decompose/kernel.ts';
import { gatherWindow, WeightedSum } from '../../../src/budget/decompose/window.ts';
import { clustersOf } from '../../../src/budget/sample/clusters.ts';
import { pick, type Sample, sampleOf } from '../../../src/budget/sample/sample.ts';
import { quantileOfSorted } from '../../../src/stats/quantile.ts';
import { createRandom } from '../../../src/stats/random.ts';

const replicates = 4000;
const confidence = 0.9;

/** Two stages and a rest of so many sessions; a session has a level of its own. */
function traces(sessions: number, each: number, level: number): Sample {
  const random = createRandom(8);
  const levels = Array.from({ length: sessions }, () => level * random.normal());
  const n = sessions * each;
  const of = (mean: number, sd: number, own: number) =>
    Float64Array.from({ length: n }, (_, i) => mean + own * levels[Math.floor(i / each)]! + sd * random.normal());
  const stages = [
    { name: 'a', ms: of(100, 20, 1) },
    { name: 'b', ms: of(50, 10, 0.2) },
  ];
  return { ...sampleOf(stages, of(5, 2, 0)), clusters: undefined };
}

/** The same by its definition: draws every trace, or every session, and decomposes all that were drawn. */
function drawn(sample: Sample, bandwidth: number, p: number, draw: () => number[]) {
  const columns = Array.from({ length: sample.stages.length + 1 }, () => new Float64Array(replicates));
  for (let replicate = 0; replicate < replicates; replicate++) {
    const again = pick(sample, draw());
    const sorted = again.totals.slice().sort();
    const q = quantileOfSorted(sorted, p);
    const sum = new WeightedSum(gatherWindow(again, sorted, -1e9, 1e9), q, bandwidth);
    for (let i = 0; i < again.n; i++) sum.add(i);
    sum.contributions().forEach((ms, c) => {
      columns[c]![replicate] = ms;
    });
  }
  return columns.map((values) => {
    const sorted = values.slice().sort();
    const mean = values.reduce((all, ms) => all + ms, 0) / replicates;
    const squares = values.reduce((all, ms) => all + (ms - mean) ** 2, 0);
    return {
      low: quantileOfSorted(sorted, 0.05),
      high: quantileOfSorted(sorted, 0.95),
      deviation: Math.sqrt(squares / (replicates - 1)),
    };
  });
}

describe('the bootstrap of contributions', () => {
  const random = createRandom(77);
  const traceDraw = (n: number) => () => Array.from({ length: n }, () => random.index(n));
  const sessionDraw = (sessions: number, each: number) => () =>
    Array.from({ length: sessions }, () => random.index(sessions)).flatMap((session) =>
      Array.from({ length: each }, (_, i) => session * each + i),
    );
  const one = traces(30, 1, 10);
  const many = { ...traces(10, 4, 20), clusters: clustersOf(names(10, 4), 40) };

  it.each<[string, Sample, number, () => number[]]>([
    ['traces, at the median', one, 0.5, traceDraw(30)],
    ['traces, in the tail', one, 0.9, traceDraw(30)],
    ['sessions, at the median', many, 0.5, sessionDraw(10, 4)],
    ['sessions, in the tail', many, 0.9, sessionDraw(10, 4)],
  ])('draws %s, as if each were drawn and decomposed anew', (_, sample, p, draw) => {
    const sorted = sample.totals.slice().sort();
    const bandwidth = bandwidthMs(sorted);
    const found = bootstrapContributions(sample, sorted, { p, bandwidth, confidence, replicates, seed: 3 });
    const wanted = drawn(sample, bandwidth, p, draw);
    expect(found).toHaveLength(3);
    found.forEach(({ low, high, deviation }, c) => {
      // A percentile of 4,000 draws is known to a tenth of their deviation, the deviation to 7 %, at four errors.
      const unit = wanted[c]!.deviation;
      expect(Math.abs(low - wanted[c]!.low) / unit).toBeLessThan(0.15);
      expect(Math.abs(high - wanted[c]!.high) / unit).toBeLessThan(0.15);
      expect(Math.abs(deviation - unit) / unit).toBeLessThan(0.07);
    });
  });

  it.each<[string, Sample]>([
    ['traces', one],
    ['sessions', many],
  ])('is the same again for one seed, and another for another: %s', (_, sample) => {
    const sorted = sample.totals.slice().sort();
    const spreads = (seed: number) =>
      bootstrapContributions(sample, sorted, { p: 0.9, bandwidth: 10, confidence, replicates: 50, seed });
    expect(spreads(3)).toEqual(spreads(3));
    expect(spreads(3)).not.toEqual(spreads(4));
  });

  it.each<[string, Sample]>([
    ['traces', one],
    ['sessions', many],
  ])('ends nowhere where the percentile of some draws never came: %s', (_, given) => {
    const totals = given.totals.slice();
    const slowest = totals.toSorted().at(-Math.floor(totals.length / 12))!;
    const sample = { ...given, totals: totals.map((ms) => (ms >= slowest ? Number.POSITIVE_INFINITY : ms)) };
    const sorted = sample.totals.slice().sort();
    const options = { p: 0.9, bandwidth: 10, confidence, replicates: 400, seed: 3 };
    for (const { low, high, deviation } of bootstrapContributions(sample, sorted, options)) {
      expect(Number.isFinite(low)).toBe(true);
      expect(high).toBe(Number.POSITIVE_INFINITY);
      expect(deviation).toBeNaN();
    }
  });
});

function names(sessions: number, each: number): string[] {
  return Array.from({ length: sessions * each }, (_, i) => `s${Math.floor(i / each)}`);
}
