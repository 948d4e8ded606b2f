const verdicts = ['pass', 'fail', 'invalid'] as const;
export type BudgetVerdict = (typeof verdicts)[number];

/**
 * Where a measured figure lies with the asked confidence, ms. Infinity: no value of the sample
 * bounds that side.
 */
export type Interval = { low: number; high: number };

/**
 * Pass when the whole interval keeps the limit, fail when the whole of it breaks it, else invalid.
 * Monotone: a larger measurement never turns a fail into a pass.
 */
export function judgeInterval({ low, high }: Interval, op: 'lte' | 'lt', limit: number): BudgetVerdict {
  const keeps = (value: number) => (op === 'lte' ? value <= limit : value < limit);
  if (Number.isFinite(high) && keeps(high)) return 'pass';
  return keeps(low) ? 'invalid' : 'fail';
}

/**
 * About how many more traces decide a straddling interval, when its half-width falls with the
 * square root of n and the figure stays where it is. Infinity when the figure sits on the limit
 * itself; NaN when the side towards the limit is open, where no width foretells anything.
 */
export function tracesToDecide(n: number, value: number, { low, high }: Interval, limit: number): number {
  const halfWidth = value <= limit ? high - value : value - low;
  if (!Number.isFinite(halfWidth)) return Number.NaN;
  if (value === limit) return Number.POSITIVE_INFINITY;
  return Math.max(1, Math.ceil(n * (halfWidth / (limit - value)) ** 2) - n);
}
