import { lowerBound } from '../../stats/bisect.ts';
import { quantileRank } from '../../stats/quantile.ts';
import { createRandom } from '../../stats/random.ts';
import { type Clusters, clusterSizes } from '../sample/clusters.ts';
import type { Sample } from '../sample/sample.ts';
import { kernelReach } from './kernel.ts';
import { gatherWindow, reachOf, WeightedSum } from './window.ts';
import { quantileInterval, worthAt } from './worth.ts';

export type BootstrapOptions = { p: number; bandwidth: number; confidence: number; replicates: number; seed: number };

/**
 * Replicates of each stage's contribution, each of as many whole sessions drawn with replacement as
 * there are: its percentile is that of all their traces. Only traces about the percentile are
 * looked at one by one; those below are counted by session.
 */
export function drawSessions(
  sample: Sample,
  sorted: Float64Array,
  clusters: Clusters,
  { p, bandwidth, replicates, seed }: BootstrapOptions,
): Float64Array[] {
  const random = createRandom(seed);
  const sizes = clusterSizes(clusters);
  const { lowMs, highMs } = plausible(sample, sorted, clusters, p);
  const reach = kernelReach * bandwidth;
  const window = gatherWindow(sample, sorted, lowMs - reach, highMs + reach);
  const below = new Float64Array(clusters.count);
  for (let i = 0; i < sample.n; i++) if (sample.totals[i]! < lowMs - reach) below[clusters.codes[i]!]! += 1;
  const codes = Uint32Array.from(window.indices, (i) => clusters.codes[i]!);
  const results = Array.from({ length: window.width }, () => new Float64Array(replicates).fill(Infinity));
  const times = new Uint32Array(clusters.count);
  for (let replicate = 0; replicate < replicates; replicate++) {
    times.fill(0);
    for (let k = 0; k < clusters.count; k++) times[random.index(clusters.count)]! += 1;
    const rank = quantileRank(weighted(sizes, times), p);
    const row = rowAt(rank - weighted(below, times), codes, times);
    // Beyond the window lie only feedbacks that never came, or what is drawn once in a million
    // times.
    const q = row < codes.length ? window.totals[row]! : infiniteOr(sorted, highMs);
    if (!Number.isFinite(q)) continue;
    const sum = new WeightedSum(window, q, bandwidth);
    const { from, to } = reachOf(window.totals, q, bandwidth);
    for (let i = from; i < to; i++) if (times[codes[i]!]! > 0) sum.add(window.first + i, times[codes[i]!]!);
    const contributions = sum.contributions();
    for (let c = 0; c < window.width; c++) results[c]![replicate] = contributions[c]!;
  }
  return results;
}

/** Where a replicate's percentile may lie, but for one in a million. */
function plausible(sample: Sample, sorted: Float64Array, clusters: Clusters, p: number) {
  const q = sorted[quantileRank(sample.n, p) - 1]!;
  const worth = worthAt(sample.totals, q, { clusters, confidence: 0.95 });
  const { low, high } = quantileInterval(sorted, p, worth, 1 - 1e-6);
  const finite = lowerBound(sorted, Number.POSITIVE_INFINITY);
  return { lowMs: Math.max(low, sorted[0]!), highMs: Math.min(high, sorted[finite - 1] ?? q) };
}

function infiniteOr(sorted: Float64Array, highMs: number): number {
  return sorted.at(-1) === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : highMs;
}

function weighted(counts: Float64Array, times: Uint32Array): number {
  let sum = 0;
  for (let k = 0; k < times.length; k++) sum += counts[k]! * times[k]!;
  return sum;
}

/**
 * The row at which as many drawn traces have been passed as `rank` says; that after the last where
 * there are fewer.
 */
function rowAt(rank: number, codes: Uint32Array, times: Uint32Array): number {
  let passed = 0;
  for (let row = 0; row < codes.length; row++) {
    passed += times[codes[row]!]!;
    if (passed >= rank) return row;
  }
  return codes.length;
}
