import type { ClusterSums } from '../metrics/cluster-sums.ts';
import {
  answerName,
  countNames,
  type Distribution,
  type DistributionName,
  type Measurements,
  metrics,
  quantile,
  rateNames,
  type ShareName,
  shareNames,
} from '../metrics/definitions.ts';
import type { LatencyHistogram } from '../metrics/histogram.ts';
import type { Tally, TallyName } from '../metrics/tally.ts';
import type { Spent } from './cost.ts';
import type { Summary } from './report.ts';

type Measured = {
  distributions: Readonly<Record<DistributionName, Distribution>>;
  tally: Tally;
  strata?: readonly Readonly<Record<string, ClusterSums>>[];
};

/** What a slice, or several added up, holds, as objectives read it. */
export function measurementsOf({ distributions, tally, strata = [] }: Measured, spent?: Spent): Measurements {
  return {
    distributions,
    shares: each(shareNames, (name) => shareOf(name, distributions, tally)),
    rates: each(rateNames, (name) => ({ count: tally[metrics[name].counted], of: tally[metrics[name].of] })),
    counts: each(countNames, (name) => ({ count: tally[name], of: sumOf(metrics[name].of, tally) })),
    strata,
    cost: spent && { dollars: spent.dollars, audioMinutes: tally.sound_served_ms / 60_000 },
  };
}

export function summarise(histogram: LatencyHistogram): Summary {
  const at = (p: number) => quantile(histogram, p);
  return {
    samples: histogram.samples,
    never: histogram.never,
    meanMs: Number.isNaN(histogram.meanMs) ? undefined : histogram.meanMs,
    p50Ms: at(0.5),
    p90Ms: at(0.9),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
    p999Ms: at(0.999),
    maxMs: maximum(histogram),
  };
}

function maximum(distribution: Distribution): number | undefined {
  return distribution.samples === 0 ? undefined : distribution.valueAtRank(distribution.samples);
}

function shareOf(name: ShareName, distributions: Measured['distributions'], tally: Tally) {
  const definition = metrics[name];
  if (!('arrivalsOf' in definition)) return { good: tally[definition.good], total: tally[definition.total] };
  const { samples, never } = distributions[answerName((one) => distributions[one].samples)];
  return { good: samples - never, total: samples };
}

function sumOf(names: readonly TallyName[], tally: Tally): number {
  return names.reduce((sum, name) => sum + tally[name], 0);
}

function each<N extends string, V>(names: readonly N[], make: (name: N) => V): Record<N, V> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<N, V>;
}
