import { describe, expect, it } from 'vitest';
import { bootstrapAt } from '../../../src/budget/decompose/bootstrap.ts';
import { bandwidthMs } from '../../../src/budget/decompose/kernel.ts';
import { fitAt, nearUnits } from '../../../src/budget/decompose/local-fit.ts';
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

/** The same by its definition: draws every trace, or every session, and fits all that were drawn at the same total. */
function drawn(sample: Sample, atMs: number, bandwidth: number, draw: () => number[]) {
  const columns = Array.from({ length: sample.stages.length + 1 }, () => new Float64Array(replicates));
  for (let replicate = 0; replicate < replicates; replicate++) {
    const again = pick(sample, draw());
    const sorted = again.totals.slice().sort();
    const sum = new WeightedSum(gatherWindow(again, sorted, -1e9, 1e9), atMs, bandwidth);
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

/** What the bootstrap says of the percentile of a sample. */
function bootstrap(sample: Sample, p: number, options: { bandwidth?: number; replicates: number; seed: number }) {
  const sorted = sample.totals.slice().sort();
  const fit = fitAt(sample, sorted, quantileOfSorted(sorted, p), options.bandwidth ?? bandwidthMs(sorted));
  return { fit, found: bootstrapAt(fit, nearUnits(sample, fit), { ...options, confidence }) };
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
  ])('draws %s, as if each were drawn and fitted anew', (_, sample, p, draw) => {
    const { fit, found } = bootstrap(sample, p, { replicates, seed: 3 });
    const wanted = drawn(sample, fit.atMs, fit.bandwidth, draw);
    expect(found).toHaveLength(3);
    found.forEach(({ low, high }, c) => {
      // A percentile of 4,000 draws is known to a tenth of their deviation, at four errors.
      const unit = wanted[c]!.deviation;
      expect(Math.abs(low - wanted[c]!.low) / unit).toBeLessThan(0.15);
      expect(Math.abs(high - wanted[c]!.high) / unit).toBeLessThan(0.15);
    });
  });

  it.each<[string, Sample]>([
    ['traces', one],
    ['sessions', many],
  ])('is the same again for one seed, and another for another: %s', (_, sample) => {
    const spreads = (seed: number) => bootstrap(sample, 0.9, { bandwidth: 10, replicates: 50, seed }).found;
    expect(spreads(3)).toEqual(spreads(3));
    expect(spreads(3)).not.toEqual(spreads(4));
  });
});

function names(sessions: number, each: number): string[] {
  return Array.from({ length: sessions * each }, (_, i) => `s${Math.floor(i / each)}`);
}
