import { exitCodes, SpeechfbError } from '../errors.ts';
import { binomialCdf } from '../stats/distributions.ts';
import { type AssertMetric, judge } from './assertion.ts';
import { answerBatch } from './batch-queue.ts';
import { chooseBatch } from './batch-size.ts';
import { type AudioFormat, audioBytesPerSecond, codecNote, wireBytesPerSecond } from './codec.ts';
import { concurrencyOf } from './concurrency.ts';
import { breakEvenUtilisation, costOf, fleetHour, type Supply } from './cost.ts';
import { type CurvePoint, percentileKey, type StreamsByCurve, streamsByCurve } from './curve.ts';
import { notesOn } from './notes.ts';
import { simulatePlan } from './plan-simulation.ts';
import { addPods, countPods, type PodCounts } from './pods.ts';
import type { CapacityDetails, CapacityResult } from './result.ts';
import type { CapacitySpec } from './scenario.ts';
import { spotPods } from './spot.ts';
import { tornado } from './tornado.ts';
import { peakUsers, type UsersByMinute } from './users.ts';

/** What stood in files beside the scenario. */
export type PlanInputs = { users?: UsersByMinute | undefined; curve?: readonly CurvePoint[] | undefined };

/** What the parts of a plan share. */
export type Plan = {
  spec: CapacitySpec;
  base: number | UsersByMinute;
  users: number;
  active: number;
  streamsPerPod: number;
  regions: readonly NonNullable<CapacitySpec['regions']>[number][];
  pods: PodCounts;
  supply: Supply;
};

/** The whole answer to a scenario. Pure: the same scenario, inputs and seed give the same result. */
export function planCapacity(name: string, spec: CapacitySpec, inputs: PlanInputs): CapacityResult {
  const { demand } = spec;
  const base = inputs.users ?? demand.peakUsers!;
  const users = peakUsers(base);
  const active = users * demand.dutyCycle;
  const byCurve = streamsFromCurve(spec, inputs);
  const streamsPerPod = spec.pod.streams ?? byCurve!.streams;
  const regions = spec.regions ?? [everywhere];
  const podsFor = (people: number) =>
    addPods(
      regions.map(({ share }) =>
        countPods({
          users: people * share,
          duty: demand.dutyCycle,
          streamsPerPod,
          headroom: spec.headroom,
          blocking: spec.blocking,
        }),
      ),
    );
  const pods = podsFor(users);
  const supply = supplyOf(spec, active, streamsPerPod, pods);
  const plan: Plan = { spec, base, users, active, streamsPerPod, regions, pods, supply };
  const cost = costOf(supply);
  const simulation = simulatePlan(plan);
  const format: AudioFormat = {
    codec: demand.audio.codec,
    sampleRateHz: demand.audio.sampleRate,
    channels: demand.audio.channels,
    bitsPerSecond: demand.audio.bitrate,
  };
  const bytes = audioBytesPerSecond(format);
  const { selfHosted, managed } = supply;
  const busyShare = active / (pods.withHeadroom * streamsPerPod);
  const concurrency = concurrencyOf(users, demand.dutyCycle);
  const details: Omit<CapacityDetails, 'notes'> = {
    name,
    prices_as_of: spec.supply.pricesAsOf ?? null,
    codec: {
      note: codecNote(format),
      bytes_per_stream: bytes,
      wire_bytes_per_second: active * wireBytesPerSecond(format, demand.audio.frame),
    },
    concurrency,
    linear_rule_short: 1 - binomialCdf(pods.minimum * streamsPerPod, Math.ceil(users), demand.dutyCycle),
    streams_per_pod: { value: streamsPerPod, by_curve: byCurve ?? null },
    pods: {
      ...pods,
      at_spike: demand.spike ? podsFor(users * demand.spike.factor) : null,
      spot_for_minimum: spotFor(spec, pods.minimum),
    },
    fleet_hour: selfHosted
      ? { ...fleetHour(selfHosted, pods.withHeadroom, busyShare, active * 60), idleShare: Math.max(0, 1 - busyShare) }
      : null,
    break_even_utilisation: selfHosted && managed ? breakEvenUtilisation(selfHosted, managed.pricePerMinute) : null,
    tornado: tornado(supply, spec.tornado),
    batch: spec.batch ? answerBatch(batchWork(spec.batch)) : null,
    batch_size: spec.batching ? chooseBatch(...batchRules(spec.batching)) : null,
  };
  const result = {
    ingress_bytes_per_second: active * bytes,
    concurrency: { mean: active, p999: concurrency.p999 },
    pods: { minimum: pods.minimum, with_headroom: pods.withHeadroom, blocking: pods.binomial },
    cost: {
      managed_per_minute: cost.managedPerMinute ?? null,
      self_hosted_per_minute: cost.selfHostedPerMinute ?? null,
      blended_per_minute: cost.blendedPerMinute ?? null,
    },
    simulation,
  };
  const values = valuesOf(result, details);
  const assertions = Object.values(spec.assert).flatMap((lines) =>
    (lines ?? []).map((line) => judge(line, values[line.metric] ?? Number.POSITIVE_INFINITY)),
  );
  const verdict = assertions.length === 0 ? 'none' : assertions.every((a) => a.verdict === 'pass') ? 'pass' : 'fail';
  return { ...result, assertions, verdict, details: { ...details, notes: notesOn(plan, result, details) } };
}

const everywhere = { name: 'all', share: 1, pinned: false, behind: 0 };

function streamsFromCurve({ pod }: CapacitySpec, inputs: PlanInputs): StreamsByCurve | undefined {
  if (!pod.profile) return undefined;
  const limit = { percentile: pod.profile.slo.percentile, valueMs: pod.profile.slo.value };
  const answer = streamsByCurve(inputs.curve ?? pod.profile.points!, limit);
  if (answer.streams > 0) return answer;
  const { streams, latencyMs } = answer.firstMiss!;
  throw new SpeechfbError(
    'curve_over_limit',
    `no measured load keeps ${percentileKey(limit.percentile)} at ${limit.valueMs}: ${streams} streams already take ${latencyMs} ms`,
    { hint: 'measure fewer streams, or allow a later answer in pod.profile.slo', exitCode: exitCodes.missed },
  );
}

function supplyOf({ supply }: CapacitySpec, active: number, streamsPerPod: number, pods: PodCounts): Supply {
  const { selfHosted: own, managed } = supply;
  const planned = Math.min(1, active / (pods.withHeadroom * streamsPerPod));
  return {
    managed: managed && { pricePerMinute: managed.price, maxConcurrent: managed.maxConcurrent },
    selfHosted: own && {
      pricePerHour: own.price * (1 - spotShare()) + spotPrice() * spotShare(),
      overhead: own.overhead,
      share: own.share,
      fullMinutesPerHour: own.audioMinutesPerHour ?? 60 * streamsPerPod,
      utilisation: own.utilisation ?? (own.audioMinutesPerHour === undefined ? planned : 1),
    },
  };

  function spotShare(): number {
    return own?.spot?.share ?? 0;
  }

  /** A spot pod that serves costs its price and its part of the ones that wait for a loss. */
  function spotPrice(): number {
    if (!own?.spot) return 0;
    const needed = Math.max(1, Math.round(pods.minimum * own.spot.share));
    return ((own.spot.price ?? own.price) * spotPods(needed, own.spot.loss, own.spot.sure)) / needed;
  }
}

function spotFor({ supply }: CapacitySpec, minimum: number): number | null {
  const spot = supply.selfHosted?.spot;
  return spot ? spotPods(Math.round(minimum * spot.share), spot.loss, spot.sure) : null;
}

function batchWork(batch: NonNullable<CapacitySpec['batch']>) {
  return {
    jobsPerSecond: batch.jobsPerHour / 3600,
    serviceMs: batch.service,
    variability: { ca2: batch.arrivalCv2, cs2: batch.serviceCv2 },
    wait: { p: batch.wait.percentile / 100, limitMs: batch.wait.value },
    workers: batch.workers,
  };
}

function batchRules(batching: NonNullable<CapacitySpec['batching']>): Parameters<typeof chooseBatch> {
  const { steps, chunk, maxWait, utilisation, deadline } = batching;
  const rules = { chunkMs: chunk, maxWaitMs: maxWait, utilisation, deadlineMs: deadline };
  return [steps.map(({ batch, step }) => ({ batch, stepMs: step })), rules];
}

/** What each metric of `assert` came to; Infinity for a wait that never ended. */
function valuesOf(
  result: Pick<CapacityResult, 'ingress_bytes_per_second' | 'concurrency' | 'pods' | 'cost' | 'simulation'>,
  details: Omit<CapacityDetails, 'notes'>,
): Record<AssertMetric, number | null | undefined> {
  const { pods, cost, simulation } = result;
  return {
    costPerAudioMinute: cost.blended_per_minute,
    selfHostedCostPerMinute: cost.self_hosted_per_minute,
    managedCostPerMinute: cost.managed_per_minute,
    simulatedCostPerAudioMinute: simulation.cost.per_served_minute,
    fleetCostPerHour: details.fleet_hour?.perHour,
    idleShare: details.fleet_hour?.idleShare,
    breakEvenUtilisation: details.break_even_utilisation,
    ingressBytesPerSecond: result.ingress_bytes_per_second,
    concurrencyMean: result.concurrency.mean,
    concurrencyP999: result.concurrency.p999,
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
