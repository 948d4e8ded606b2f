/**
 * The first whole number from `low` up to below `end` that `holds`, or `end` where none does.
 * `holds` turns true once and stays true, so that some log2(end - low) of them are tried.
 */
export function firstTrue(low: number, end: number, holds: (value: number) => boolean): number {
  let from = low;
  let to = end;
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if (holds(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}

/**
 * The first position of ascending `sorted` whose value is not below `value`; its length where all
 * are.
 */
export function lowerBound(sorted: ArrayLike<number>, value: number): number {
  return firstTrue(0, sorted.length, (at) => sorted[at]! >= value);
}

/**
 * The first position of ascending `sorted` whose value is above `value`; its length where none is.
 */
export function upperBound(sorted: ArrayLike<number>, value: number): number {
  return firstTrue(0, sorted.length, (at) => sorted[at]! > value);
}
