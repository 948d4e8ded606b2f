/** P(X <= k) for X binomial with `n` trials of chance `p`. Through the incomplete beta: 1e-10 exact up to n of millions. */
export function binomialCdf(k: number, n: number, p: number): number {
  if (k < 0) return 0;
  if (k >= n) return 1;
  if (p <= 0) return 1;
  if (p >= 1) return 0;
  return incompleteBeta(n - k, k + 1, 1 - p);
}

/**
 * The fewest samples that prove, with `confidence`, that at most `missShare` of all events miss, when `misses` of the
 * samples do: the smallest n with P(Bin(n, missShare) <= misses) <= 1 - confidence. The early-stopping rule of MLPerf
 * LoadGen with d = 0; p95 at 95 %: 59, 93, 336 for 0, 1, 10 misses. Infinity for a share of 0: nothing proves never.
 */
export function samplesToProve(missShare: number, misses: number, confidence: number): number {
  if (missShare <= 0) return Number.POSITIVE_INFINITY;
  if (missShare >= 1) return 0;
  const proves = (n: number) => binomialCdf(misses, n, missShare) <= 1 - confidence;
  let high = Math.max(1, Math.ceil((misses + 1) / missShare));
  while (!proves(high)) high *= 2;
  let low = misses;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (proves(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/**
 * Rank of the order statistic that the `p`-quantile exceeds with chance at most 1 - `confidence` (distribution-free,
 * one-sided); undefined when even the largest of `n` samples is no bound.
 */
export function upperRank(n: number, p: number, confidence: number): number | undefined {
  if (n === 0 || binomialCdf(n - 1, n, p) < confidence) return undefined;
  let low = 0;
  let high = n;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (binomialCdf(middle - 1, n, p) >= confidence) high = middle;
    else low = middle;
  }
  return high;
}

/** Regularised incomplete beta I_x(a, b) by Lentz's continued fraction (Numerical Recipes, 3rd edition, 6.4). */
function incompleteBeta(a: number, b: number, x: number): number {
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return (front * betaFraction(a, b, x)) / a;
  return 1 - (front * betaFraction(b, a, 1 - x)) / b;
}

function betaFraction(a: number, b: number, x: number): number {
  const tiny = 1e-300;
  const away = (value: number) => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let result = d;
  for (let m = 1; m < 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    result *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    const delta = d * c;
    result *= delta;
    if (Math.abs(delta - 1) < 1e-14) break;
  }
  return result;
}

/** Lanczos, g = 7, nine terms: 1e-13 relative. */
function logGamma(x: number): number {
  const shifted = x - 1;
  let sum = lanczos[0]!;
  for (let i = 1; i < lanczos.length; i++) sum += lanczos[i]! / (shifted + i);
  const t = shifted + lanczos.length - 1.5;
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(t) - t + Math.log(sum);
}

const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];
