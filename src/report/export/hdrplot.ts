import type { Distribution } from '../../metrics/definitions.ts';

/**
 * A distribution of ms as the HdrHistogram plotter reads it (hdrplot): value, percentile, how many
 * samples it covers, and 1 / (1 - percentile). Steps halve with the distance to 100 %, five to a
 * halving. What never came stays in the percentiles: the rows end where the distribution becomes
 * infinite, and a comment says how many samples lie beyond.
 */
export function hdrplotText(name: string, distribution: Distribution): string {
  const { samples, never } = distribution;
  const rows: string[] = [];
  for (const percentile of percentiles(samples)) {
    const rank = Math.max(1, Math.ceil(percentile * samples - 1e-9));
    const value = distribution.valueAtRank(rank);
    if (!Number.isFinite(value)) break;
    rows.push(row(value, percentile, rank));
  }
  const head = `${'Value'.padStart(14)} ${'Percentile'.padStart(20)} ${'TotalCount'.padStart(10)} 1/(1-Percentile)`;
  const foot = `#[${name} in ms, Total count = ${samples}, never = ${never}]`;
  return [head, '', ...rows, foot, ''].join('\n');
}

function row(value: number, percentile: number, rank: number): string {
  const cells = [value.toFixed(3).padStart(14), percentile.toFixed(12).padStart(20), String(rank).padStart(10)];
  if (percentile < 1) cells.push((1 / (1 - percentile)).toFixed(2).padStart(16));
  return cells.join(' ');
}

const stepsToHalf = 5;

/** 0, then ever finer towards 1, as far as `samples` tell percentiles apart, and 1. */
function percentiles(samples: number): number[] {
  if (samples === 0) return [];
  const values: number[] = [];
  for (let rest = 1; rest * samples > 0.5; rest /= 2) {
    for (let step = 0; step < stepsToHalf; step++) values.push(1 - rest + (step * rest) / 2 / stepsToHalf);
  }
  return [...values, 1];
}
