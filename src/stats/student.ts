import { betaQuantile } from './distributions.ts';

/** Mean of a few values with its two-sided interval. */
export type MeanInterval = { mean: number; lower: number; upper: number };

/**
 * The value that |T| of `freedom` degrees exceeds with probability 1 - confidence (Student 1908).
 */
export function studentQuantile(confidence: number, freedom: number): number {
  // P(|T| > t) = I_x(freedom / 2, 1 / 2) with x = freedom / (freedom + t^2).
  const x = betaQuantile(1 - confidence, freedom / 2, 0.5);
  return Math.sqrt(freedom * (1 / x - 1));
}

/**
 * The value that T of `freedom` degrees exceeds with probability 1 - confidence, for a confidence
 * above 1/2.
 */
export function studentUpper(confidence: number, freedom: number): number {
  return studentQuantile(2 * confidence - 1, freedom);
}

/** The interval of the mean of independent, roughly normal values; without end for a single one. */
export function meanInterval(values: readonly number[], confidence: number): MeanInterval {
  const { mean, variance } = moments(values);
  const n = values.length;
  if (n < 2) return { mean, lower: Number.NEGATIVE_INFINITY, upper: Number.POSITIVE_INFINITY };
  const reach = variance === 0 ? 0 : studentQuantile(confidence, n - 1) * Math.sqrt(variance / n);
  return { mean, lower: mean - reach, upper: mean + reach };
}

/**
 * How far the mean of `a` lies above that of `b`, their spreads being what they are (Welch 1947).
 */
export function welchShift(a: readonly number[], b: readonly number[], confidence: number): MeanInterval {
  const [one, other] = [moments(a), moments(b)];
  const mean = one.mean - other.mean;
  if (a.length < 2 || b.length < 2) return { mean, lower: Number.NEGATIVE_INFINITY, upper: Number.POSITIVE_INFINITY };
  const [u, v] = [one.variance / a.length, other.variance / b.length];
  if (u + v === 0) return { mean, lower: mean, upper: mean };
  const freedom = (u + v) ** 2 / (u ** 2 / (a.length - 1) + v ** 2 / (b.length - 1));
  const reach = studentQuantile(confidence, freedom) * Math.sqrt(u + v);
  return { mean, lower: mean - reach, upper: mean + reach };
}

function moments(values: readonly number[]): { mean: number; variance: number } {
  if (values.length === 0) throw new RangeError('a mean needs a value');
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1);
  return { mean, variance };
}
