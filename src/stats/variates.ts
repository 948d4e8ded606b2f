import type { Random } from './random.ts';

/**
 * A gamma variate of mean `shape` (>= 1) and scale 1: Marsaglia and Tsang, ACM TOMS 26(3), 2000.
 */
export function drawGamma(random: Random, shape: number): number {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    const u = random.uniform();
    if (Math.log(u) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** A beta variate; both shapes >= 1. The k-th smallest of n uniforms is beta(k, n - k + 1). */
export function drawBeta(random: Random, a: number, b: number): number {
  const x = drawGamma(random, a);
  return x / (x + drawGamma(random, b));
}

/**
 * How many of `n` trials of chance `p` succeed, exactly, in O(log n): the median of the n uniforms
 * is drawn as a beta variate and tells which half needs counting (Devroye, Non-Uniform Random
 * Variate Generation, X.4.3).
 */
export function drawBinomial(random: Random, n: number, p: number): number {
  let successes = 0;
  let trials = n;
  let chance = Math.min(1, Math.max(0, p));
  while (trials > 16) {
    const middle = Math.floor(trials / 2) + 1;
    const median = drawBeta(random, middle, trials + 1 - middle);
    if (median <= chance) {
      successes += middle;
      trials -= middle;
      chance = (chance - median) / (1 - median);
    } else {
      trials = middle - 1;
      chance /= median;
    }
  }
  for (let i = 0; i < trials; i++) if (random.uniform() < chance) successes++;
  return successes;
}
