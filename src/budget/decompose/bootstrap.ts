import { quantileOfSorted } from '../../stats/quantile.ts';
import { createRandom } from '../../stats/random.ts';
import { drawBinomial } from '../../stats/variates.ts';
import type { LocalFit, NearUnits } from './local-fit.ts';
import type { Interval } from './verdict.ts';
import { WeightedSum } from './window.ts';

export type BootstrapOptions = { confidence: number; replicates: number; seed: number };

/**
 * Between which percentiles each stage's mean at this total lies when whole sessions (or traces)
 * are drawn anew (Efron 1979), in the order of the fit's contributions, ms. Units without a trace
 * near it carry no weight, so that only how many of the drawn are near has to be drawn.
 */
export function bootstrapAt(fit: LocalFit, units: NearUnits, options: BootstrapOptions): Interval[] {
  const { atMs, bandwidth, window, contributions } = fit;
  const { rows, codes, all } = units;
  // Units of one trace each are not worth a sum of their own.
  const sums = codes.length < rows.length ? sumsOf(fit, units) : undefined;
  const random = createRandom(options.seed);
  const drawn = Array.from(contributions, () => new Float64Array(options.replicates));
  for (let replicate = 0; replicate < options.replicates; replicate++) {
    const sum = new WeightedSum(window, atMs, bandwidth);
    // None at all would say nothing.
    const count = Math.max(1, drawBinomial(random, all, codes.length / all));
    for (let i = 0; i < count; i++) {
      const unit = random.index(codes.length);
      if (sums) sum.merge(sums[unit]!);
      else sum.add(window.first + rows[unit]!);
    }
    const means = sum.contributions();
    for (let c = 0; c < means.length; c++) drawn[c]![replicate] = means[c]!;
  }
  return drawn.map((values) => percentileInterval(values.sort(), options.confidence));
}

/** Each unit's part of the fit. */
function sumsOf({ atMs, bandwidth, window }: LocalFit, { starts, rows, codes }: NearUnits): WeightedSum[] {
  return Array.from(codes, (_, unit) => {
    const sum = new WeightedSum(window, atMs, bandwidth);
    for (let at = starts[unit]!; at < starts[unit + 1]!; at++) sum.add(window.first + rows[at]!);
    return sum;
  });
}

function percentileInterval(sorted: Float64Array, confidence: number): Interval {
  const tail = (1 - confidence) / 2;
  return { low: quantileOfSorted(sorted, tail), high: quantileOfSorted(sorted, 1 - tail) };
}
