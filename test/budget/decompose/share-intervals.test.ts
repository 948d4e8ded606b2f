import { describe, expect, it } from 'vitest';
import { bootstrapAt } from '../../../src/budget/decompose/bootstrap.ts';
import { decompose } from '../../../src/budget/decompose/decompose.ts';
import { bandwidthMs, weightAt } from '../../../src/budget/decompose/kernel.ts';
import { fitAt, nearUnits } from '../../../src/budget/decompose/local-fit.ts';
import { shareIntervals } from '../../../src/budget/decompose/share-intervals.ts';
import { clustersOf } from '../../../src/budget/sample/clusters.ts';
import { type Sample, sampleOf } from '../../../src/budget/sample/sample.ts';
import { equalWeights } from '../../../src/stats/effective-size.ts';
import { quantileOfSorted } from '../../../src/stats/quantile.ts';
import { createRandom } from '../../../src/stats/random.ts';
import { studentQuantile } from '../../../src/stats/student.ts';

const options = { p: 0.95, confidence: 0.95, replicates: 200, seed: 1 };

/** Two stages of so many traces: `a` by 40 ms about 200 ms, `b` by `spread` about 50 ms, all of a session alike. */
function traces(n: number, spread: number, sessionOf?: (i: number) => string): Sample {
  const random = createRandom(7);
  const a = Float64Array.from({ length: n }, () => 200 + 40 * random.normal());
  const names = sessionOf && Array.from(a.keys(), sessionOf);
  const own = new Map(names?.map((name) => [name, random.normal()]));
  const b = a.map((_, i) => 50 + spread * (names ? own.get(names[i]!)! : random.normal()));
  const clusters = names && clustersOf(names, n);
  return {
    ...sampleOf([
      { name: 'a', ms: a },
      { name: 'b', ms: b },
    ]),
    clusters,
  };
}

describe('the interval of a share', () => {
  it('of a stage that alone moves the total is that of the percentile, less the rest', () => {
    const { interval, contributions } = decompose(traces(1000, 0), options);
    const [a, b] = contributions;
    expect(a!.interval.low).toBeCloseTo(interval.low - 50, 6);
    expect(a!.interval.high).toBeCloseTo(interval.high - 50, 6);
    expect(b!.interval.low).toBeCloseTo(50, 6);
    expect(b!.interval.high).toBeCloseTo(50, 6);
  });

  it('of a stage that hardly moves with the total is that of its mean there', () => {
    const { interval, contributions } = decompose(traces(1000, 10), options);
    const [a, b] = contributions.map((one) => one.interval.high - one.interval.low);
    expect(a).toBeGreaterThan(0.9 * (interval.high - interval.low));
    expect(b).toBeLessThan(0.8 * a!);
    expect(b).toBeGreaterThan(1);
  });

  it('is wider where few sessions have the traces about the percentile', () => {
    const [one, other] = [100, 10].map((sessions) => {
      const { b } = widths(
        decompose(
          traces(1000, 10, (i) => `${i % sessions}`),
          options,
        ),
      );
      return b;
    });
    expect(other).toBeGreaterThan(1.1 * one!);
  });

  it.each([
    ['above, where the percentile has none', traces(50, 10), (low: number) => Number.isFinite(low), 'high'],
    ['on either side of one session', traces(200, 10, () => 'only'), (low: number) => !Number.isFinite(low), 'both'],
  ])('has no end %s', (_, sample, lowIs) => {
    for (const { ms, interval } of decompose(sample, options).contributions) {
      expect(Number.isFinite(ms)).toBe(true);
      expect(lowIs(interval.low)).toBe(true);
      expect(interval.high).toBe(Number.POSITIVE_INFINITY);
    }
  });

  it.each([
    ['traces', traces(100, 10)],
    ['sessions', traces(100, 10, (i) => `${i % 25}`)],
  ])('has no end above where the percentile’s own end never came: %s', (_, given) => {
    const slowest = given.totals.toSorted().at(-4)!;
    const totals = given.totals.map((ms) => (ms >= slowest ? Number.POSITIVE_INFINITY : ms));
    for (const { interval } of decompose({ ...given, totals }, options).contributions) {
      expect(Number.isFinite(interval.low)).toBe(true);
      expect(interval.high).toBe(Number.POSITIVE_INFINITY);
    }
  });

  it.each<[string, Sample, [number, number]]>([
    ['traces', traces(200, 10), [-10, 15]],
    ['sessions', traces(200, 10, (i) => `${i % 20}`), [-10, 15]],
    ['sessions, of a percentile with no end below', traces(200, 10, (i) => `${i % 20}`), [-Infinity, 15]],
    ['traces, of a percentile with no end above', traces(200, 10), [-10, Infinity]],
  ])('joins the reaches of the mean and of the percentile by what units add to both: %s', (_, sample, moves) => {
    const p = 0.8;
    const sorted = sample.totals.slice().sort();
    const q = quantileOfSorted(sorted, p);
    const bandwidth = bandwidthMs(sorted);
    const fit = fitAt(sample, sorted, q, bandwidth);
    const drawing = { confidence: 0.95, replicates: 100, seed: 1 };
    const [low, high] = moves.map((by) => q + by) as [number, number];
    const found = shareIntervals(sample, sorted, fit, { p, interval: { low, high } }, drawing);

    const drawn = bootstrapAt(fit, nearUnits(sample, fit), drawing);
    const ends = [low, high].filter(Number.isFinite).map((at) => fitAt(sample, sorted, at, bandwidth).contributions);
    const all = sample.clusters?.count ?? sample.n;
    const slopes = fit.sum.slopes();
    const columns = [...sample.stages.map(({ ms }) => ms), sample.unattributed];
    const [weights, excess] = [new Float64Array(all), new Float64Array(all)];
    const residuals = columns.map(() => new Float64Array(all));
    sample.totals.forEach((total, i) => {
      const unit = sample.clusters?.codes[i] ?? i;
      excess[unit]! += (total > q ? 1 : 0) - (1 - p);
      if (Math.abs(total - q) > 5 * bandwidth) return;
      weights[unit]! += weightAt(total - q, bandwidth);
      columns.forEach((ms, c) => {
        const error = ms[i]! - fit.contributions[c]! - slopes[c]! * (total - q);
        residuals[c]![unit]! += fit.sum.leverage(total - q) * error;
      });
    });
    const product = (a: Float64Array, b: Float64Array) => a.reduce((sum, each, unit) => sum + each * b[unit]!, 0);
    const carriers = equalWeights(weights);
    const t = studentQuantile(0.95, carriers - 1) / studentQuantile(0.95, 1e6);
    const wider = t * Math.sqrt(carriers / (carriers - 1));
    for (const c of [0, 1]) {
      const ms = fit.contributions[c]!;
      const scale = Math.sqrt(product(residuals[c]!, residuals[c]!) * product(excess, excess));
      const r = (Math.sign(slopes[c]!) * product(residuals[c]!, excess)) / scale;
      const joined = (a: number, b: number) => Math.sqrt(a * a + b * b + 2 * r * a * b);
      const below = Math.max(0, ...ends.map((end) => ms - end[c]!));
      const above = Math.max(0, ...ends.map((end) => end[c]! - ms));
      const lowEnd = Number.isFinite(low) ? ms - joined(wider * (ms - drawn[c]!.low), below) : -Infinity;
      const highEnd = Number.isFinite(high) ? ms + joined(wider * (drawn[c]!.high - ms), above) : Infinity;
      expect(found[c]!.low).toBeCloseTo(lowEnd, 6);
      expect(found[c]!.high).toBeCloseTo(highEnd, 6);
    }
  });

  it('is a point where all traces are equal', () => {
    const equal = sampleOf([{ name: 'a', ms: new Float64Array(200).fill(30) }]);
    expect(decompose(equal, options).contributions[0]).toEqual({ ms: 30, interval: { low: 30, high: 30 } });
  });

  it('has an end, or none, but is never NaN, however few the traces and sessions', () => {
    for (const n of [1, 2, 3, 5, 20, 80]) {
      for (const sessions of [undefined, 1, 2, 3]) {
        const sample = traces(n, 10, sessions === undefined ? undefined : (i) => `${i % sessions}`);
        for (const { ms, interval } of decompose(sample, options).contributions) {
          expect(interval.low).toBeLessThanOrEqual(ms);
          expect(interval.high).toBeGreaterThanOrEqual(ms);
        }
      }
    }
  });
});

function widths({ contributions }: ReturnType<typeof decompose>) {
  const [a, b] = contributions.map(({ interval }) => interval.high - interval.low);
  return { a, b };
}
