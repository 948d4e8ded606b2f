import type { AssertMetric } from '../scenario/assertion.ts';
import type { CapacityDetails, CapacityResult } from './result.ts';

type Answer = Pick<CapacityResult, 'ingress_bytes_per_second' | 'concurrency' | 'pods' | 'cost' | 'simulation'>;

/**
 * What each metric of `assert` came to; null or undefined for what does not exist or never came.
 */
export function valuesOf(
  { ingress_bytes_per_second, concurrency, pods, cost, simulation }: Answer,
  details: Omit<CapacityDetails, 'notes'>,
): Record<AssertMetric, number | null | undefined> {
  return {
    costPerAudioMinute: cost.blended_per_minute,
    selfHostedCostPerMinute: cost.self_hosted_per_minute,
    managedCostPerMinute: cost.managed_per_minute,
    simulatedCostPerAudioMinute: simulation.cost.per_served_minute,
    fleetCostPerHour: details.fleet_hour?.perHour,
    idleShare: details.fleet_hour?.idleShare,
    breakEvenUtilisation: details.break_even_utilisation,
    ingressBytesPerSecond: ingress_bytes_per_second,
    concurrencyMean: concurrency.mean,
    concurrencyP999: concurrency.p999,
    streamsPerPod: details.streams_per_pod.value,
    podsMinimum: pods.minimum,
    podsWithHeadroom: pods.with_headroom,
    podsBlocking: pods.blocking,
    peakPods: simulation.peak_pods,
    degradedStreamMinutes: simulation.degraded_stream_minutes,
    degradedShare: simulation.degraded_share,
    p95Wait: simulation.p95_wait_ms,
    p99Wait: simulation.p99_wait_ms,
    batchWorkers: details.batch?.workers,
    batchWait: details.batch?.wait_quantile_ms,
  };
}
