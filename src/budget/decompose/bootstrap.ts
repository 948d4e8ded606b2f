import { quantileOfSorted, quantileRank } from '../../stats/quantile.ts';
import { createRandom, type Random } from '../../stats/random.ts';
import { drawBeta, drawBinomial } from '../../stats/variates.ts';
import type { Sample } from '../sample/sample.ts';
import { kernelReach } from './kernel.ts';
import type { Interval } from './verdict.ts';
import { gatherWindow, reachOf, WeightedSum } from './window.ts';

export type BootstrapOptions = { p: number; bandwidth: number; confidence: number; replicates: number; seed: number };

/**
 * Percentile bootstrap over whole traces of each stage's contribution, in the sample's order, unattributed time last.
 *
 * A replicate draws n traces with replacement, takes its percentile and decomposes it anew (the bandwidth is kept). Only
 * traces near the percentile carry weight, so only they are drawn: of n uniforms the r-th smallest is beta(r, n - r + 1),
 * and given it the r - 1 below and the n - r above are again uniform. The result is distributed as if all n were drawn.
 */
export function bootstrapContributions(sample: Sample, sorted: Float64Array, options: BootstrapOptions): Interval[] {
  const { n } = sample;
  const random = createRandom(options.seed);
  const rank = quantileRank(n, options.p);
  const places = Float64Array.from({ length: options.replicates }, () => drawBeta(random, rank, n - rank + 1));
  const finite = places.map((u) => sorted[Math.floor(u * n)]!).filter(Number.isFinite);
  const reach = kernelReach * options.bandwidth;
  const window = gatherWindow(sample, sorted, minimum(finite) - reach, -minimum(finite.map((q) => -q)) + reach);
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
  return results.map((values) => percentileInterval(values.sort(), options.confidence));
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
