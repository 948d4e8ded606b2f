import { lowerBound } from '../../stats/bisect.ts';
import { quantileOfSorted } from '../../stats/quantile.ts';

/** Gaussian weights are below 4e-6 past this many bandwidths: no trace beyond is looked at. */
export const kernelReach = 5;

/**
 * Silverman's rule-of-thumb bandwidth 1.06 min(sd, IQR / 1.349) n^(-1/5) of totals sorted
 * ascending, ms. Infinite totals are left out of the spread. 0 when all totals are equal; the sd
 * alone when the middle half is.
 */
export function bandwidthMs(sortedTotals: Float64Array): number {
  const finite = sortedTotals.subarray(0, countFinite(sortedTotals));
  if (finite.length < 2) return 0;
  const sd = standardDeviation(finite);
  const iqr = quantileOfSorted(finite, 0.75) - quantileOfSorted(finite, 0.25);
  const spread = iqr > 0 ? Math.min(sd, iqr / 1.349) : sd;
  return 1.06 * spread * finite.length ** -0.2;
}

/**
 * The weight of a trace whose total is `distanceMs` from the percentile; a bandwidth of 0 weighs
 * only equal ones.
 */
export function weightAt(distanceMs: number, bandwidth: number): number {
  if (bandwidth === 0) return distanceMs === 0 ? 1 : 0;
  const scaled = distanceMs / bandwidth;
  return Math.exp(-0.5 * scaled * scaled);
}

function countFinite(sorted: Float64Array): number {
  return lowerBound(sorted, Number.POSITIVE_INFINITY);
}

function standardDeviation(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  const mean = sum / values.length;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i]! - mean) ** 2;
  return Math.sqrt(squares / (values.length - 1));
}
