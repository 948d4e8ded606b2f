import { binomialCdf } from '../../stats/distributions.ts';
import { answerBatch, type BatchAnswer } from '../queueing/batch-queue.ts';
import { type BatchChoice, chooseBatch } from '../queueing/batch-size.ts';
import { concurrencyOf } from '../queueing/concurrency.ts';
import { type AudioFormat, audioBytesPerSecond, codecNote, wireBytesPerSecond } from '../scenario/codec.ts';
import type { CapacitySpec } from '../scenario/spec.ts';
import { breakEvenUtilisation, fleetHour } from './cost.ts';
import type { CapacityDetails } from './result.ts';
import { type Plan, podsFor } from './sizes.ts';
import { spotFor } from './supply.ts';
import { tornado } from './tornado.ts';

/** Everything beside the headline figures, but for the sentences about it. */
export function detailsOf(name: string, plan: Plan): Omit<CapacityDetails, 'notes'> {
  const { spec, users, active, streamsPerPod, pods, supply } = plan;
  const { demand } = spec;
  const { selfHosted, managed } = supply;
  const breakEven = selfHosted && managed && breakEvenUtilisation(selfHosted, managed.pricePerMinute);
  const format = audioOf(spec);
  const busyShare = active / (pods.withHeadroom * streamsPerPod);
  return {
    name,
    prices_as_of: spec.supply.pricesAsOf ?? null,
    codec: {
      note: codecNote(format),
      bytes_per_stream: audioBytesPerSecond(format),
      wire_bytes_per_second: active * wireBytesPerSecond(format, demand.audio.frame),
    },
    concurrency: concurrencyOf(users, demand.dutyCycle),
    linear_rule_short: 1 - binomialCdf(pods.minimum * streamsPerPod, Math.ceil(users), demand.dutyCycle),
    streams_per_pod: { value: streamsPerPod, by_curve: plan.byCurve ?? null },
    pods: {
      ...pods,
      at_spike: demand.spike ? podsFor(plan, users * demand.spike.factor) : null,
      spot_for_minimum: spotFor(spec, pods.minimum),
    },
    fleet_hour: selfHosted
      ? { ...fleetHour(selfHosted, pods.withHeadroom, busyShare, active * 60), idleShare: Math.max(0, 1 - busyShare) }
      : null,
    break_even_utilisation: breakEven ?? null,
    tornado: tornado(supply, spec.tornado),
    batch: spec.batch ? batchAnswer(spec.batch) : null,
    batch_size: spec.batching ? batchChoice(spec.batching) : null,
  };
}

/** The audio of a scenario as the codec sees it. */
export function audioOf({ demand: { audio } }: CapacitySpec): AudioFormat {
  return {
    codec: audio.codec,
    sampleRateHz: audio.sampleRate,
    channels: audio.channels,
    bitsPerSecond: audio.bitrate,
  };
}

function batchAnswer(batch: NonNullable<CapacitySpec['batch']>): BatchAnswer {
  return answerBatch({
    jobsPerSecond: batch.jobsPerHour / 3600,
    serviceMs: batch.service,
    variability: { ca2: batch.arrivalCv2, cs2: batch.serviceCv2 },
    wait: { p: batch.wait.percentile / 100, limitMs: batch.wait.value },
    workers: batch.workers,
  });
}

function batchChoice({
  steps,
  chunk,
  maxWait,
  utilisation,
  deadline,
}: NonNullable<CapacitySpec['batching']>): BatchChoice {
  return chooseBatch(
    steps.map(({ batch, step }) => ({ batch, stepMs: step })),
    { chunkMs: chunk, maxWaitMs: maxWait, utilisation, deadlineMs: deadline },
  );
}
