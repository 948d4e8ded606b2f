import type { BatchAnswer } from '../queueing/batch-queue.ts';
import type { BatchChoice } from '../queueing/batch-size.ts';
import type { Concurrency } from '../queueing/concurrency.ts';
import type { AssertionOutcome } from '../scenario/assertion.ts';
import type { StreamsByCurve } from '../scenario/curve.ts';
import type { TimelinePoint } from '../simulation/timeline.ts';
import type { FleetHour } from './cost.ts';
import type { PodCounts } from './pods.ts';
import type { TornadoBar } from './tornado.ts';

/**
 * What `capacity --json` prints. Dollars, bytes, shares of 1; null for what does not exist or never
 * comes.
 */
export type CapacityResult = {
  ingress_bytes_per_second: number;
  concurrency: { mean: number; p999: number };
  pods: { minimum: number; with_headroom: number; blocking: number };
  cost: {
    managed_per_minute: number | null;
    self_hosted_per_minute: number | null;
    blended_per_minute: number | null;
  };
  simulation: SimulationResult;
  assertions: AssertionOutcome[];
  /** `none` when nothing was asserted. */
  verdict: 'pass' | 'fail' | 'none';
  details: CapacityDetails;
};

export type SimulationResult = {
  seed: number;
  duration_ms: number;
  streams: number;
  degraded_stream_minutes: number;
  /** Share of all stream-minutes that were spoken. */
  degraded_share: number;
  p95_wait_ms: number | null;
  p99_wait_ms: number | null;
  never_served: number;
  moved_streams: number;
  spot_pods_lost: number;
  peak_streams: number;
  peak_waiting: number;
  peak_pods: number;
  pod_hours: { on_demand: number; spot: number };
  self_hosted_minutes: number;
  managed_minutes: number;
  /** Share of the served minutes that the own pods served. */
  self_hosted_share: number;
  cost: { total: number | null; per_served_minute: number | null; idle_share: number };
  regions: {
    name: string;
    /** Learners who were played as one, since there are many; 1: each alone. */
    learners_a_group: number;
    peak_pods: number;
    degraded_stream_minutes: number;
  }[];
  timeline: TimelinePoint[];
};

export type CapacityDetails = {
  name: string;
  prices_as_of: string | null;
  codec: { note: string; bytes_per_stream: number; wire_bytes_per_second: number };
  concurrency: Concurrency;
  /** Share of moments with more streams than the linear rule's pods carry. */
  linear_rule_short: number;
  streams_per_pod: { value: number; by_curve: StreamsByCurve | null };
  pods: PodCounts & { at_spike: PodCounts | null; spot_for_minimum: number | null };
  fleet_hour: (FleetHour & { idleShare: number }) | null;
  break_even_utilisation: number | null;
  tornado: TornadoBar[];
  batch: BatchAnswer | null;
  batch_size: BatchChoice | null;
  /** What the linear rule hides, a sentence each. */
  notes: string[];
};
