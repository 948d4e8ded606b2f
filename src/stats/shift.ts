import { normalQuantile } from './distributions.ts';
import { largestExactSample, uDistribution, uStandardDeviation } from './rank-sum.ts';

export type Shift = {
  /** Hodges-Lehmann: the median of all differences a - b; Infinity when most of `a` never came. */
  estimate: number;
  lower: number;
  upper: number;
  /**
   * The confidence that [lower, upper] really has; below the one asked for when the samples are too
   * few.
   */
  coverage: number;
};

/**
 * How far `a` lies above `b` (Hodges and Lehmann 1963), with the interval that the Mann-Whitney
 * test inverts to (Moses): order statistics of the m n differences a - b. Their rank is the normal
 * one with tie and continuity correction, as in R's wilcox.test(exact = FALSE) and Kayenta; the
 * coverage beside it is exact up to 50 values a side without ties. Where those solve for a root,
 * anywhere between two differences will do; the estimate here is the median. Memory O(m + n), also
 * for millions of differences.
 */
export function hodgesLehmann(a: readonly number[], b: readonly number[], confidence: number): Shift {
  if (a.length === 0 || b.length === 0) throw new RangeError('a shift needs a value on each side');
  const x = ascending(a);
  const y = ascending(b);
  const pairs = x.length * y.length;
  const { rank, coverage } = intervalRank(x, y, confidence);
  const middle = [difference(x, y, Math.ceil(pairs / 2)), difference(x, y, Math.floor(pairs / 2) + 1)] as const;
  return {
    estimate: unclamp((middle[0] + middle[1]) / 2),
    lower: unclamp(difference(x, y, rank)),
    upper: unclamp(difference(x, y, pairs + 1 - rank)),
    coverage,
  };
}

/**
 * Feedback that never came is infinite; differences need a number that stays ordered and does not
 * cancel to NaN.
 */
const never = Number.MAX_VALUE / 8;

function ascending(values: readonly number[]): Float64Array {
  const sorted = Float64Array.from(values, (value) => Math.min(value, never)).sort();
  if (sorted.some(Number.isNaN)) throw new RangeError('a shift cannot order NaN');
  return sorted;
}

function unclamp(value: number): number {
  if (Math.abs(value) < never / 4) return value;
  return Math.sign(value) * Number.POSITIVE_INFINITY;
}

function intervalRank(x: Float64Array, y: Float64Array, confidence: number): { rank: number; coverage: number } {
  const pairs = x.length * y.length;
  const ties = tiesOf(x, y);
  const reach = normalQuantile((1 + confidence) / 2) * uStandardDeviation(x.length, y.length, ties);
  const rank = Math.floor(pairs / 2 - 0.5 - reach) + 1;
  const exact = ties === 0 && Math.max(x.length, y.length) <= largestExactSample;
  if (!exact) return rank >= 1 ? { rank, coverage: confidence } : { rank: 1, coverage: 0 };
  const below = uDistribution(x.length, y.length);
  return { rank: Math.max(1, rank), coverage: 1 - 2 * below[Math.max(1, rank) - 1]! };
}

/** Sum of t^3 - t over groups of equal values, of both samples together. */
function tiesOf(x: Float64Array, y: Float64Array): number {
  const all = new Float64Array(x.length + y.length);
  all.set(x);
  all.set(y, x.length);
  all.sort();
  let ties = 0;
  for (let start = 0; start < all.length; ) {
    let end = start + 1;
    while (end < all.length && all[end] === all[start]) end++;
    ties += (end - start) ** 3 - (end - start);
    start = end;
  }
  return ties;
}

/**
 * The `rank`-th smallest of all x_i - y_j (1 <= rank <= m n), by bisection over values and one
 * sweep a step.
 */
function difference(x: Float64Array, y: Float64Array, rank: number): number {
  let low = x[0]! - y[y.length - 1]!;
  let high = x[x.length - 1]! - y[0]!;
  if (sweep(x, y, low).count >= rank) return low;
  // Fewer than `rank` differences are <= low, at least `rank` are <= high, and high is itself a
  // difference.
  for (;;) {
    const middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) return high;
    const found = sweep(x, y, middle);
    if (found.count >= rank) {
      high = found.largest;
    } else {
      low = middle;
      if (found.next >= high) return high;
    }
  }
}

type Sweep = {
  /** How many differences are <= the limit, */
  count: number;
  /** the largest of them, */
  largest: number;
  /** and the smallest one above the limit. */
  next: number;
};

function sweep(x: Float64Array, y: Float64Array, limit: number): Sweep {
  const found = { count: 0, largest: Number.NEGATIVE_INFINITY, next: Number.POSITIVE_INFINITY };
  // As x grows, fewer y keep x - y within the limit: those from index `first` on.
  let first = 0;
  for (const value of x) {
    while (first < y.length && value - y[first]! > limit) first++;
    if (first > 0) found.next = Math.min(found.next, value - y[first - 1]!);
    if (first < y.length) {
      found.count += y.length - first;
      found.largest = Math.max(found.largest, value - y[first]!);
    }
  }
  return found;
}
