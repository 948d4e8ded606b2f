import { binomialCdf, normalQuantile } from './distributions.ts';

/**
 * The fewest samples that prove, with `confidence`, that at most `missShare` of all events miss,
 * when `misses` of the samples do: the smallest n with P(Bin(n, missShare) <= misses) <= 1 -
 * confidence (MLPerf LoadGen's early stopping with d = 0). p95 at 95 %: 59, 93, 336 for 0, 1, 10
 * misses. Infinity for a share of 0: nothing proves never.
 */
export function samplesToProve(missShare: number, misses: number, confidence: number): number {
  if (missShare <= 0) return Number.POSITIVE_INFINITY;
  if (missShare >= 1) return misses + 1;
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
 * Samples after which the share below the p-quantile is known to +-`margin` with `confidence`: z^2
 * p (1 - p) / margin^2, rounded as MLPerf Inference prints it: 23,886 at p90, margin .5 %, 99 %.
 */
export function samplesForMargin(p: number, margin: number, confidence: number): number {
  const z = normalQuantile(1 - (1 - confidence) / 2);
  return Math.round((z * z * p * (1 - p)) / (margin * margin));
}
