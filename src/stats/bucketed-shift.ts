import { normalCdf, normalQuantile } from './distributions.ts';
import type { Shift } from './shift.ts';

/**
 * Equal values and how many there are, in ascending order of the value; Infinity is a value like
 * any other.
 */
export type Bucket = { value: number; count: number };

export type BucketedShift = Omit<Shift, 'coverage'> & {
  /**
   * P of a rank sum as large as this one, or as small, when both come from one distribution (Mann
   * and Whitney 1947).
   */
  pGreater: number;
  pLess: number;
};

/**
 * How far `a` lies above `b` (Hodges and Lehmann 1963), its interval (Moses), and the Mann-Whitney
 * test, all from buckets, so that histograms of any size compare at once. `independent` says how
 * many independent observations each side really has: the events of one session go up and down
 * together, and counted singly they would find a difference in everything. Normal approximation;
 * ties are not corrected for, which only widens the interval. Throws RangeError for an empty side.
 */
export function bucketedShift(
  a: readonly Bucket[],
  b: readonly Bucket[],
  { independent, confidence }: { independent: { a: number; b: number }; confidence: number },
): BucketedShift {
  if (a.length === 0 || b.length === 0) throw new RangeError('a shift needs a value on each side');
  const { a: m, b: n } = independent;
  const deviation = Math.sqrt((m + n + 1) / (12 * m * n));
  const reach = normalQuantile((1 + confidence) / 2) * deviation;
  const z = (shareAbove(a, b) - 0.5) / deviation;
  return {
    estimate: differenceAt(a, b, 0.5),
    lower: differenceAt(a, b, 0.5 - reach),
    upper: differenceAt(a, b, 0.5 + reach),
    pGreater: normalCdf(-z),
    pLess: normalCdf(z),
  };
}

/** The share of pairs whose a is above their b, ties counted half. */
function shareAbove(a: readonly Bucket[], b: readonly Bucket[]): number {
  return 1 - (shareWithin(a, b, 0) + shareBelow(a, b, 0)) / 2;
}

/**
 * The `share`-quantile of all differences a - b, to a thousandth of a ms or the accuracy of
 * doubles.
 */
function differenceAt(a: readonly Bucket[], b: readonly Bucket[], share: number): number {
  if (share <= 0) return Number.NEGATIVE_INFINITY;
  if (share >= 1) return Number.POSITIVE_INFINITY;
  let low = lowest(a) - highest(b);
  let high = highest(a) - lowest(b);
  if (!(Number.isFinite(low) && Number.isFinite(high))) return a === b ? 0 : beyond(a, b);
  if (shareWithin(a, b, low) >= share) return shareBelow(a, b, low) >= share ? Number.NEGATIVE_INFINITY : low;
  if (shareWithin(a, b, high) < share) return Number.POSITIVE_INFINITY;
  while (high - low > Math.max(1e-3, 1e-12 * Math.abs(high))) {
    const middle = (low + high) / 2;
    if (shareWithin(a, b, middle) >= share) high = middle;
    else low = middle;
  }
  return high;
}

/** One side never came at all. */
function beyond(a: readonly Bucket[], b: readonly Bucket[]): number {
  const aCame = Number.isFinite(lowest(a));
  const bCame = Number.isFinite(lowest(b));
  if (aCame === bCame) return 0;
  return aCame ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** The share of pairs with a - b of at most `limit`; two that are infinite differ by 0. */
function shareWithin(a: readonly Bucket[], b: readonly Bucket[], limit: number): number {
  return pairs(a, b, (aValue, bValue) => difference(aValue, bValue) <= limit);
}

function shareBelow(a: readonly Bucket[], b: readonly Bucket[], limit: number): number {
  return pairs(a, b, (aValue, bValue) => difference(aValue, bValue) < limit);
}

/** The share of pairs that hold; with a growing b a pair, once it holds, goes on holding. */
function pairs(a: readonly Bucket[], b: readonly Bucket[], holds: (a: number, b: number) => boolean): number {
  const allOfB = total(b);
  let passed = 0;
  let place = 0;
  let sum = 0;
  for (const { value, count } of a) {
    while (place < b.length && !holds(value, b[place]!.value)) passed += b[place++]!.count;
    sum += count * (allOfB - passed);
  }
  return sum / total(a) / allOfB;
}

function difference(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

function total(buckets: readonly Bucket[]): number {
  return buckets.reduce((sum, { count }) => sum + count, 0);
}

function lowest(buckets: readonly Bucket[]): number {
  return buckets[0]!.value;
}

/** The highest of the finite values, if there is one. */
function highest(buckets: readonly Bucket[]): number {
  return buckets.findLast(({ value }) => Number.isFinite(value))?.value ?? Number.POSITIVE_INFINITY;
}
