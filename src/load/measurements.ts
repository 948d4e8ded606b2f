import type { Summary } from '../report/report.ts';
import {
  type CountName,
  type Distribution,
  type DistributionName,
  type Measurements,
  quantile,
} from '../slo/metrics.ts';
import type { LatencyHistogram } from './histogram.ts';
import type { Tally } from './tally.ts';

type Measured = { distributions: Readonly<Record<DistributionName, Distribution>>; tally: Tally };

/** What a slice, or several added up, holds, as objectives read it. */
export function measurementsOf({ distributions, tally }: Measured): Measurements {
  const { samples, never } = distributions.feedback_latency;
  const exposure = exposures(tally);
  const count = (name: CountName) => ({ count: tally[name], of: exposure[name] });
  return {
    distributions,
    shares: {
      availability: { good: samples - never, total: samples },
      session_success: { good: tally.sessions_ok, total: tally.sessions },
    },
    counts: {
      violations: count('violations'),
      lost_frames: count('lost_frames'),
      resent_frames: count('resent_frames'),
      dropped_by_app: count('dropped_by_app'),
      sessions_refused: count('sessions_refused'),
      sessions_died: count('sessions_died'),
    },
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
