/**
 * Rank (1 to n) of the p-quantile: the smallest value with at least a share p of the sample at or
 * below it (the inverse of the empirical distribution). It is a value that was really measured, and
 * it stays defined when some are infinite.
 */
export function quantileRank(n: number, p: number): number {
  // p n may exceed its whole number by rounding alone (0.07 x 100): a part in 1e12 is no sample.
  return Math.min(n, Math.max(1, Math.ceil(p * n * (1 - 1e-12))));
}

/** The p-quantile of values sorted ascending; NaN of none. */
export function quantileOfSorted(sorted: ArrayLike<number>, p: number): number {
  return sorted.length === 0 ? Number.NaN : sorted[quantileRank(sorted.length, p) - 1]!;
}

/** The p-quantile, reordering `values` instead of sorting them: O(n). NaN of none. */
export function quantileInPlace(values: Float64Array, p: number): number {
  return values.length === 0 ? Number.NaN : selectInPlace(values, quantileRank(values.length, p));
}

/** The `rank`-th smallest (from 1) by Hoare's quickselect; reorders `values`. */
export function selectInPlace(values: Float64Array, rank: number): number {
  const k = rank - 1;
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const pivot = medianOfThree(values[low]!, values[(low + high) >>> 1]!, values[high]!);
    let i = low;
    let j = high;
    while (i <= j) {
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
      if (i <= j) {
        const held = values[i]!;
        values[i++] = values[j]!;
        values[j--] = held;
      }
    }
    if (k <= j) high = j;
    else if (k >= i) low = i;
    else break;
  }
  return values[k]!;
}

function medianOfThree(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
