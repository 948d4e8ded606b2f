import { logGamma } from './distributions.ts';
import type { Random } from './random.ts';

/**
 * Draws from one binomial distribution again and again, in constant time: the alias method (Vose
 * 1991) over the counts whose chance is above 1e-15.
 */
export function createBinomialSampler(random: Random, trials: number, chance: number): () => number {
  const { first, weights } = likelyCounts(trials, chance);
  const { keep, alias } = aliasTable(weights);
  return () => {
    const at = random.uniform() * keep.length;
    const place = Math.floor(at);
    return first + (at - place < keep[place]! ? place : alias[place]!);
  };
}

function likelyCounts(trials: number, chance: number): { first: number; weights: number[] } {
  if (chance <= 0) return { first: 0, weights: [1] };
  if (chance >= 1) return { first: trials, weights: [1] };
  const logChance = (k: number) =>
    logGamma(trials + 1) -
    logGamma(k + 1) -
    logGamma(trials - k + 1) +
    k * Math.log(chance) +
    (trials - k) * Math.log1p(-chance);
  const mode = Math.min(trials, Math.floor((trials + 1) * chance));
  let first = mode;
  while (first > 0 && logChance(first - 1) > negligible) first--;
  const weights: number[] = [];
  for (let k = first; k <= trials && (k <= mode || logChance(k) > negligible); k++)
    weights.push(Math.exp(logChance(k)));
  return { first, weights };
}

function aliasTable(weights: readonly number[]): { keep: Float64Array; alias: Uint32Array } {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const keep = Float64Array.from(weights, (weight) => (weight / total) * weights.length);
  const alias = Uint32Array.from(weights.keys());
  const small = [...keep.keys()].filter((i) => keep[i]! < 1);
  const large = [...keep.keys()].filter((i) => keep[i]! >= 1);
  while (small.length > 0 && large.length > 0) {
    const low = small.pop()!;
    const high = large.at(-1)!;
    alias[low] = high;
    keep[high]! -= 1 - keep[low]!;
    if (keep[high]! < 1) small.push(large.pop()!);
  }
  // What rounding left over is full.
  for (const i of [...small, ...large]) keep[i] = 1;
  return { keep, alias };
}

const negligible = Math.log(1e-15);
