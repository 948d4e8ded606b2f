import { equalWeights } from '../../stats/effective-size.ts';
import { quantileOfSorted, quantileRank } from '../../stats/quantile.ts';
import { createRandom, type Random } from '../../stats/random.ts';
import { studentQuantile } from '../../stats/student.ts';
import { drawBeta, drawBinomial } from '../../stats/variates.ts';
import type { Sample } from '../sample/sample.ts';
import { kernelReach } from './kernel.ts';
import { type BootstrapOptions, drawSessions } from './session-draws.ts';
import type { Interval } from './verdict.ts';
import { gatherWindow, reachOf, WeightedSum, type Window } from './window.ts';

/**
 * Bootstrap of each stage's contribution, in the sample's order, unattributed time last: over whole
 * traces, or over whole sessions where traces have them. Its percentiles and its standard
 * deviation.
 */
export function bootstrapContributions(sample: Sample, sorted: Float64Array, options: BootstrapOptions): Spread[] {
  const draws = sample.clusters
    ? drawSessions(sample, sorted, sample.clusters, options)
    : drawTraces(sample, sorted, options);
  return draws.map((values) => ({
    ...percentileInterval(values.sort(), options.confidence),
    deviation: deviationOf(values),
  }));
}

/** What replicates of a contribution say, ms; the deviation is NaN where some are infinite. */
type Spread = Interval & { deviation: number };

/**
 * The intervals about their estimates: the wider, on each side, of the bootstrap's percentiles and
 * its normal interval, since either alone leaves out the largest stage too often. Both are t / z
 * sqrt(k / (k - 1)) times as wide, k being as many equal weights as the kernel's are worth by
 * session (or by trace): a bootstrap is too narrow by that much where few carry them.
 */
export function widened(
  intervals: readonly Spread[],
  estimates: ArrayLike<number>,
  weights: Iterable<number>,
  confidence: number,
): Interval[] {
  const carriers = Math.max(leastCarriers, equalWeights(weights));
  const normal = studentQuantile(confidence, 1e6);
  const factor = (studentQuantile(confidence, carriers - 1) / normal) * Math.sqrt(carriers / (carriers - 1));
  return intervals.map(({ low, high, deviation }, i) => {
    const reach = Number.isFinite(deviation) ? normal * deviation : 0;
    return {
      low: estimates[i]! - factor * Math.max(estimates[i]! - low, reach),
      high: estimates[i]! + factor * Math.max(high - estimates[i]!, reach),
    };
  });
}

function deviationOf(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / Math.max(1, values.length - 1));
}

/** Fewer have no spread that could be told. */
const leastCarriers = 1.5;

/**
 * A replicate draws n traces with replacement, takes its percentile and decomposes it anew (the
 * bandwidth is kept). Only traces near the percentile carry weight, so only they are drawn: of n
 * uniforms the r-th smallest is beta(r, n - r + 1), and given it the r - 1 below and the n - r
 * above are again uniform. The result is distributed as if all n were drawn.
 */
function drawTraces(sample: Sample, sorted: Float64Array, options: BootstrapOptions): Float64Array[] {
  const { n } = sample;
  const random = createRandom(options.seed);
  const rank = quantileRank(n, options.p);
  const places = Float64Array.from({ length: options.replicates }, () => drawBeta(random, rank, n - rank + 1));
  const window = windowOf(
    sample,
    sorted,
    places.map((u) => sorted[Math.floor(u * n)]!),
    options.bandwidth,
  );
  const results = Array.from({ length: window.width }, () => new Float64Array(options.replicates).fill(Infinity));
  for (let replicate = 0; replicate < options.replicates; replicate++) {
    const u = places[replicate]!;
    const q = sorted[Math.floor(u * n)]!;
    if (!Number.isFinite(q)) continue;
    const sum = new WeightedSum(window, q, options.bandwidth);
    const { from, to } = reachOf(sorted, q, options.bandwidth);
    sum.add(Math.floor(u * n));
    addUniformly(sum, random, { from, to: u * n, count: drawBinomial(random, rank - 1, 1 - from / n / u) });
    addUniformly(sum, random, { from: u * n, to, count: drawBinomial(random, n - rank, (to / n - u) / (1 - u)) });
    const contributions = sum.contributions();
    for (let c = 0; c < window.width; c++) results[c]![replicate] = contributions[c]!;
  }
  return results;
}

/** All traces within the kernel's reach of these percentiles. */
function windowOf(sample: Sample, sorted: Float64Array, percentiles: Float64Array, bandwidth: number): Window {
  const finite = percentiles.filter(Number.isFinite);
  const reach = kernelReach * bandwidth;
  return gatherWindow(sample, sorted, minimum(finite) - reach, -minimum(finite.map((q) => -q)) + reach);
}

function addUniformly(sum: WeightedSum, random: Random, draw: { from: number; to: number; count: number }): void {
  const width = draw.to - draw.from;
  const last = Math.ceil(draw.to) - 1;
  for (let i = 0; i < draw.count; i++) sum.add(Math.min(last, Math.floor(draw.from + random.uniform() * width)));
}

function percentileInterval(sorted: Float64Array, confidence: number): Interval {
  const tail = (1 - confidence) / 2;
  return { low: quantileOfSorted(sorted, tail), high: quantileOfSorted(sorted, 1 - tail) };
}

function minimum(values: Float64Array): number {
  let least = Number.POSITIVE_INFINITY;
  for (const value of values) if (value < least) least = value;
  return least;
}
