import { equalWeights } from './effective-size.ts';
import { studentQuantile } from './student.ts';

/** What one cluster adds to a ratio of sums: its part of the count, and what it is counted of. */
export type ClusterPart = { count: number; of: number };

export type RatioInterval = { value: number; lower: number; upper: number };

/**
 * The ratio of two sums over clusters, sum(count) / sum(of), with its two-sided interval. Clusters
 * are what is independent: the variance is that of a linearised ratio (Kish 1965), with Student's t
 * for the clusters by their sizes. A count of differences may be below 0. `oneMore` adds one more
 * either way to what was counted, as Bonett and Price (2012) do for paired shares, so that counts
 * which are all alike have an interval too. Infinite where less than two clusters count.
 */
export function ratioInterval(
  clusters: readonly ClusterPart[],
  confidence: number,
  { oneMore }: { oneMore: boolean },
): RatioInterval {
  const { value, variance, freedom } = ratioOf(clusters, oneMore);
  return around(value, variance, freedom, confidence);
}

/** How far the ratio of `b` lies above that of `a`, which share no cluster (Welch 1947). */
export function ratioShift(
  b: readonly ClusterPart[],
  a: readonly ClusterPart[],
  confidence: number,
  { oneMore }: { oneMore: boolean },
): RatioInterval {
  const [is, was] = [ratioOf(b, oneMore), ratioOf(a, oneMore)];
  const variance = is.variance + was.variance;
  const parts = is.variance ** 2 / is.freedom + was.variance ** 2 / was.freedom;
  const freedom = Math.min(is.freedom, was.freedom) > 0 && parts > 0 ? variance ** 2 / parts : is.freedom + was.freedom;
  const enough = is.freedom > 0 && was.freedom > 0;
  return around(is.value - was.value, variance, enough ? freedom : 0, confidence);
}

function ratioOf(clusters: readonly ClusterPart[], oneMore: boolean) {
  const size = clusters.reduce((sum, { of }) => sum + of, 0);
  if (size <= 0) throw new RangeError('a ratio needs something that it is of');
  const value = clusters.reduce((sum, { count }) => sum + count, 0) / size;
  const squares = clusters.reduce((sum, { count, of }) => sum + (count - value * of) ** 2, 0);
  const worth = equalWeights(clusters.map(({ of }) => of));
  const freedom = Math.max(0, worth - 1);
  const scale = freedom > 0 ? worth / freedom : 0;
  return { value, variance: (scale * (squares + (oneMore ? 2 : 0))) / size ** 2, freedom };
}

function around(value: number, variance: number, freedom: number, confidence: number): RatioInterval {
  if (freedom < leastFreedom) return { value, lower: Number.NEGATIVE_INFINITY, upper: Number.POSITIVE_INFINITY };
  const reach = variance === 0 ? 0 : studentQuantile(confidence, freedom) * Math.sqrt(variance);
  return { value, lower: value - reach, upper: value + reach };
}

/** Below it one cluster is nearly everything. */
const leastFreedom = 0.5;
