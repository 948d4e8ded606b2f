import { normalCdf } from './distributions.ts';

export type RankSumTest = {
  /**
   * Pairs (a, b) with a > b, a tie counted half: 0 when every a is below every b, a.length x
   * b.length when above.
   */
  u: number;
  /** Two-sided: twice the smaller tail, at most 1. */
  p: number;
  /** P(U >= u) when both come from one distribution: small when `a` lies above `b`. */
  pGreater: number;
  /** P(U <= u): small when `a` lies below `b`. */
  pLess: number;
  method: 'exact' | 'normal';
};

/**
 * The larger sample of an exact test may have this many values; beyond it the normal approximation
 * is close enough.
 */
export const largestExactSample = 50;

/**
 * Mann-Whitney test of two independent samples (Mann and Whitney 1947). Exact by the permutation
 * distribution of the observed midranks, ties included (as benchstat does), up to
 * `largestExactSample` a side; beyond that normal with the tie correction and continuity
 * correction. Infinity is a value like any other. Throws RangeError for an empty sample or NaN.
 */
export function rankSumTest(a: readonly number[], b: readonly number[]): RankSumTest {
  const ranks = midranks(a, b);
  const rankSum = sum(ranks.doubled.subarray(0, a.length)) / 2;
  const u = rankSum - (a.length * (a.length + 1)) / 2;
  const exact = Math.max(a.length, b.length) <= largestExactSample;
  const { pLess, pGreater } = exact ? exactTails(ranks, u, a.length) : normalTails(u, a.length, b.length, ranks.ties);
  return { u, p: Math.min(1, 2 * Math.min(pLess, pGreater)), pGreater, pLess, method: exact ? 'exact' : 'normal' };
}

/**
 * Standard deviation of U without a difference, `ties` = sum of t^3 - t over groups of t equal
 * values.
 */
export function uStandardDeviation(m: number, n: number, ties: number): number {
  const total = m + n;
  return Math.sqrt(((m * n) / 12) * (total + 1 - (total > 1 ? ties / (total * (total - 1)) : 0)));
}

/**
 * P(U <= u) for samples of m and n without ties, for u = 0, 1, ... up to m n / 2: the cumulative
 * counts of the exact distribution (the recurrence of Mann and Whitney 1947).
 */
export function uDistribution(m: number, n: number): Float64Array {
  const size = Math.floor((m * n) / 2) + 1;
  // Gaussian binomial coefficient [m + n choose m]: multiply by 1 - x^(n + k), divide by 1 - x^k,
  // for k = 1..m.
  const counts = new Float64Array(size);
  counts[0] = 1;
  for (let k = 1; k <= m; k++) {
    for (let u = size - 1; u >= n + k; u--) counts[u]! -= counts[u - n - k]!;
    for (let u = k; u < size; u++) counts[u]! += counts[u - k]!;
  }
  let total = 1;
  for (let k = 1; k <= m; k++) total *= (n + k) / k;
  let below = 0;
  return counts.map((count) => {
    below += count;
    return below / total;
  });
}

type Tails = { pLess: number; pGreater: number };

type Ranks = {
  /** Twice the midrank of each value, so that ties stay whole numbers; `a` first, then `b`. */
  doubled: Float64Array;
  ties: number;
};

function midranks(a: readonly number[], b: readonly number[]): Ranks {
  if (a.length === 0 || b.length === 0) throw new RangeError('a rank test needs a value on each side');
  const values = Float64Array.from([...a, ...b]);
  if (values.some(Number.isNaN)) throw new RangeError('a rank test cannot order NaN');
  const order = Uint32Array.from(values.keys()).sort((i, j) => (values[i] === values[j] ? 0 : values[i]! - values[j]!));
  const doubled = new Float64Array(values.length);
  let ties = 0;
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let i = start; i < end; i++) doubled[order[i]!] = start + 1 + end;
    const size = end - start;
    ties += size ** 3 - size;
    start = end;
  }
  return { doubled, ties };
}

function exactTails(ranks: Ranks, u: number, m: number): Tails {
  if (ranks.ties > 0) return tiedTails(ranks.doubled, m);
  const pairs = m * (ranks.doubled.length - m);
  const below = uDistribution(m, ranks.doubled.length - m);
  // The distribution is symmetric, and held to its middle.
  const atMost = (limit: number): number => {
    if (limit < 0) return 0;
    return limit < below.length ? below[limit]! : 1 - atMost(pairs - limit - 1);
  };
  return { pLess: atMost(u), pGreater: 1 - atMost(u - 1) };
}

/**
 * Tails of the rank sum of `m` of the values over all equally likely choices: counts of choices by
 * size and sum.
 */
function tiedTails(doubled: Float64Array, m: number): Tails {
  const observed = sum(doubled.subarray(0, m));
  const largest = sum(doubled);
  const choices = Array.from({ length: m + 1 }, () => new Float64Array(largest + 1));
  choices[0]![0] = 1;
  let reach = 0;
  for (const rank of doubled) {
    reach += rank;
    for (let size = m; size >= 1; size--) {
      const into = choices[size]!;
      const from = choices[size - 1]!;
      for (let total = reach; total >= rank; total--) into[total]! += from[total - rank]!;
    }
  }
  const counts = choices[m]!;
  const all = sum(counts);
  return { pLess: sum(counts.subarray(0, observed + 1)) / all, pGreater: sum(counts.subarray(observed)) / all };
}

function normalTails(u: number, m: number, n: number, ties: number): Tails {
  const deviation = uStandardDeviation(m, n, ties);
  if (deviation === 0) return { pLess: 1, pGreater: 1 };
  const distance = u - (m * n) / 2;
  return { pLess: normalCdf((distance + 0.5) / deviation), pGreater: normalCdf((-distance + 0.5) / deviation) };
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
