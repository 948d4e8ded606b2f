import type { ClusterSums } from '../metrics/cluster-sums.ts';
import {
  type CountName,
  countNames,
  type Distribution,
  type DistributionName,
  type Measurements,
  quantile,
} from '../metrics/definitions.ts';
import type { LatencyHistogram } from '../metrics/histogram.ts';
import type { Tally } from '../metrics/tally.ts';
import type { Spent } from './cost.ts';
import type { Summary } from './report.ts';

type Measured = {
  distributions: Readonly<Record<DistributionName, Distribution>>;
  tally: Tally;
  strata?: readonly Readonly<Record<string, ClusterSums>>[];
};

/** What a slice, or several added up, holds, as objectives read it. */
export function measurementsOf({ distributions, tally, strata = [] }: Measured, spent?: Spent): Measurements {
  const { samples, never } = distributions.feedback_latency;
  const exposure = exposures(tally);
  const counts = Object.fromEntries(countNames.map((name) => [name, { count: tally[name], of: exposure[name] }]));
  return {
    distributions,
    shares: {
      availability: { good: samples - never, total: samples },
      goodput: { good: tally.utterances_good, total: tally.utterances_due },
      session_success: { good: tally.sessions_ok, total: tally.sessions },
    },
    rates: {
      revision_rate: { count: tally.phones_revised, of: tally.phones_shown },
      flicker_rate: { count: tally.words_changed, of: tally.words_shown },
    },
    counts: counts as Measurements['counts'],
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

function exposures(tally: Tally): Record<CountName, number> {
  return {
    violations: tally.events,
    lost_frames: tally.frames_sent,
    resent_frames: tally.frames_sent,
    dropped_by_app: tally.frames_sent + tally.dropped_by_app,
    sessions_refused: tally.sessions,
    sessions_died: tally.sessions,
  };
}
