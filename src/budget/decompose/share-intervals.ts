import { equalWeights } from '../../stats/effective-size.ts';
import { studentQuantile } from '../../stats/student.ts';
import { clusterSizes } from '../sample/clusters.ts';
import type { Sample } from '../sample/sample.ts';
import { type BootstrapOptions, bootstrapAt } from './bootstrap.ts';
import { fitAt, type LocalFit, type NearUnits, nearUnits } from './local-fit.ts';
import type { Interval } from './verdict.ts';

/**
 * Intervals of each stage's share of a percentile, in the order of the fit's contributions. A share
 * is uncertain because its mean at that total is, which whole sessions drawn anew tell, and because
 * the percentile is, which moves it to what it is at the ends of the percentile's own interval. The
 * reaches a and b of both are joined to sqrt(a^2 + b^2 + 2 r a b) on each side (Zou 2008), r being
 * the correlation of what the sessions add to both. Where the percentile has no end, no share has.
 */
export function shareIntervals(
  sample: Sample,
  sorted: Float64Array,
  fit: LocalFit,
  percentile: { p: number; interval: Interval },
  options: BootstrapOptions,
): Interval[] {
  const units = nearUnits(sample, fit);
  const ends = [percentile.interval.low, percentile.interval.high].map((endMs) =>
    Number.isFinite(endMs) ? fitAt(sample, sorted, endMs, fit.bandwidth).contributions : undefined,
  );
  const [lowEnd, highEnd] = ends;
  const drawn = bootstrapAt(fit, units, options);
  const wider = widening(units, options.confidence);
  const together = correlations(sample, fit, units, percentile.p);
  return drawn.map(({ low, high }, c) => {
    const ms = fit.contributions[c]!;
    const moved = ends.flatMap((end) => (end ? [end[c]!] : []));
    const below = lowEnd ? Math.max(0, ...moved.map((end) => ms - end)) : Number.POSITIVE_INFINITY;
    const above = highEnd ? Math.max(0, ...moved.map((end) => end - ms)) : Number.POSITIVE_INFINITY;
    return {
      low: ms - joined(wider * Math.max(0, ms - low), below, together[c]!),
      high: ms + joined(wider * Math.max(0, high - ms), above, together[c]!),
    };
  });
}

function joined(a: number, b: number, correlation: number): number {
  if (!Number.isFinite(a) || !Number.isFinite(b)) return Number.POSITIVE_INFINITY;
  return Math.sqrt(Math.max(0, a * a + b * b + 2 * correlation * a * b));
}

/**
 * t / z sqrt(k / (k - 1)), k being as many equal weights as the kernel's are worth by unit: a
 * bootstrap is too narrow by that much where few carry them. Infinity where one unit has all.
 */
function widening({ weights, codes }: NearUnits, confidence: number): number {
  if (codes.length < 2) return Number.POSITIVE_INFINITY;
  const carriers = Math.max(leastCarriers, equalWeights(weights));
  const normal = studentQuantile(confidence, 1e6);
  return (studentQuantile(confidence, carriers - 1) / normal) * Math.sqrt(carriers / (carriers - 1));
}

/** Fewer have no spread that could be told. */
const leastCarriers = 1.5;

/**
 * For each stage, the correlation over units of what a unit adds to the error of the stage's mean
 * (its weighted residuals) and to that of the percentile (its traces above it, less 1 - p of them),
 * with the sign by which the stage moves with the total. 0 where one of them is nothing.
 */
function correlations(sample: Sample, fit: LocalFit, units: NearUnits, p: number): number[] {
  const { n, totals, clusters } = sample;
  const excess = clusters ? clusterSizes(clusters).map((size) => (p - 1) * size) : new Float64Array(n).fill(p - 1);
  for (let i = 0; i < n; i++) if (totals[i]! > fit.atMs) excess[clusters ? clusters.codes[i]! : i]! += 1;
  const excessSquares = excess.reduce((sum, each) => sum + each * each, 0);
  const slopes = fit.sum.slopes();
  return Array.from(fit.contributions, (_, c) => {
    let [products, squares] = [0, 0];
    for (let k = 0; k < units.codes.length; k++) {
      const residual = residualOf(fit, units, k, { column: c, slope: slopes[c]! });
      products += residual * excess[units.codes[k]!]!;
      squares += residual * residual;
    }
    const scale = Math.sqrt(squares * excessSquares);
    return scale > 0 ? (Math.sign(slopes[c]!) * products) / scale : 0;
  });
}

/** What a unit adds to the regression's error at the percentile, but for a common factor. */
function residualOf(
  { atMs, window, sum, contributions }: LocalFit,
  { starts, rows }: NearUnits,
  unit: number,
  { column, slope }: { column: number; slope: number },
): number {
  let residual = 0;
  for (let at = starts[unit]!; at < starts[unit + 1]!; at++) {
    const row = rows[at]!;
    const distance = window.totals[row]! - atMs;
    const error = window.rows[row * window.width + column]! - contributions[column]! - slope * distance;
    residual += sum.leverage(distance) * error;
  }
  return residual;
}
