import { z } from 'zod';
import { amount, duration, integer, oneOf, percentField, section, text } from '../../config/fields.ts';
import { assertionLines } from './assertion.ts';
import { codecs } from './codec.ts';
import { curvePoint } from './curve.ts';
import { bitRate, day, pricePerHour, pricePerMinute, sampleRate } from './fields.ts';
import { podMemory } from './memory.ts';
import { scaling } from './scaling.ts';

const hourMs = 3_600_000;

/** Whole seconds: the control plane moves once a second. */
const seconds = (minMs: number, maxMs: number) =>
  duration(minMs, maxMs).refine((ms) => ms % 1000 === 0, { error: (issue) => `${issue.input} ms is no whole second` });

const demand = section({
  /** Users online at the peak; or a file of them by minute. */
  peakUsers: integer(1, 10_000_000).optional(),
  usersByMinute: text('the path of a CSV file of minute,users').optional(),
  /** Share of the time that a user speaks. */
  dutyCycle: percentField(0.0001, 1),
  audio: section({
    codec: oneOf(codecs).default('pcm16'),
    sampleRate: sampleRate().prefault('16kHz'),
    channels: integer(1, 2).default(1),
    bitrate: bitRate().optional(),
    frame: duration(10, 1000).prefault('20ms'),
  }).prefault({}),
  /** Mean length of one turn of speech. */
  turn: duration(1000, hourMs).prefault('60s'),
  spike: section({
    at: seconds(0, 24 * hourMs).prefault('5m'),
    factor: amount('a factor', 1, 1000),
    ramp: seconds(0, 24 * hourMs).prefault('0s'),
    duration: seconds(1000, 24 * hourMs),
  }).optional(),
});

const pod = section({
  streams: integer(1, 1_000_000).optional(),
  /** Or what a load test measured on one pod, and the limit that decides. */
  profile: section({
    curve: text('the path of a measured curve').optional(),
    points: z.array(curvePoint).min(1).optional(),
    slo: section({ percentile: amount('a percentile', 0, 100).default(95), value: duration(1, hourMs) }),
  }).optional(),
  startup: duration(0, hourMs).prefault('60s'),
  warmup: duration(0, hourMs).prefault('0s'),
  /** Share of its streams that a warming pod carries. */
  warmupCapacity: percentField().prefault('0%'),
  /** What `deploy` asks memory by; without it the shipped model's. */
  memory: podMemory.optional(),
});

const spot = section({
  share: percentField(),
  price: pricePerHour().optional(),
  /** Chance that a pod is gone at any one moment, and how sure enough must be up. */
  loss: percentField(0, 0.99).prefault('5%'),
  sure: percentField(0.5, 0.999999).prefault('99.9%'),
  /** Chance an hour that a pod is taken back, in the simulation. */
  lossPerHour: percentField(0, 0.999).prefault('5%'),
  notice: duration(0, hourMs).prefault('2m'),
  fallback: oneOf(['on-demand', 'spot']).default('on-demand'),
});

const supply = section({
  selfHosted: section({
    price: pricePerHour(),
    /** What one paid hour could serve when full; without it 60 minutes a stream. */
    audioMinutesPerHour: amount('a number of minutes', 0.001, 1e9).optional(),
    /** How full it is on average; without it, and without minutes, what the plan's pods come to. */
    utilisation: percentField(0.0001, 1).optional(),
    overhead: percentField(0, 10).prefault('0%'),
    share: percentField().prefault('100%'),
    spot: spot.optional(),
  }).optional(),
  managed: section({
    price: pricePerMinute(),
    maxConcurrent: integer(0, 10_000_000).optional(),
  }).optional(),
  pricesAsOf: day().optional(),
  spillover: z.boolean({ error: () => 'is not true or false' }).default(true),
});

const region = section({
  name: text('a name'),
  share: percentField(),
  /** Audio stays: no stream leaves the region or comes in. */
  pinned: z.boolean({ error: () => 'is not true or false' }).default(false),
  /** How much later its day is, for usersByMinute. */
  behind: duration(0, 24 * hourMs).prefault('0s'),
  /** A managed limit of its own; without it the one limit is shared. */
  maxConcurrent: integer(0, 10_000_000).optional(),
  /** Pods of its own autoscaler; without them those of `scaling`. */
  minReplicas: integer(1, 100_000).optional(),
  maxReplicas: integer(1, 100_000).optional(),
}).superRefine(({ minReplicas: min, maxReplicas: max }, context) => {
  if (min !== undefined && max !== undefined && min > max)
    context.addIssue({ code: 'custom', path: ['minReplicas'], message: `${min} is above maxReplicas ${max}` });
});

const batch = section({
  jobsPerHour: amount('a number of jobs', 0.001, 1e12),
  service: duration(0.001, 24 * hourMs),
  workers: integer(1, 1_000_000).optional(),
  arrivalCv2: amount('a squared coefficient of variation', 0, 1000).default(1),
  serviceCv2: amount('a squared coefficient of variation', 0, 1000).default(1),
  wait: section({ percentile: amount('a percentile', 0, 99.9999).default(95), value: duration(0, 24 * hourMs) }),
});

const batching = section({
  steps: z.array(section({ batch: integer(1, 100_000), step: duration(0.0001, 60_000) })).min(1, {
    error: () => 'is empty; list measured steps such as {batch: 8, step: 65us}',
  }),
  chunk: duration(1, 10_000).prefault('100ms'),
  maxWait: duration(0, 10_000).prefault('5ms'),
  utilisation: percentField(0.01, 1).prefault('80%'),
  deadline: duration(0.001, 60_000),
});

/** What a capacity scenario says, field by field; `checkScenario` sees what no single field can. */
export const capacitySpec = section({
  demand,
  pod,
  headroom: percentField(0, 10).prefault('0%'),
  /** Share of moments that may find every place taken. */
  blocking: percentField(0.000001, 0.5).prefault('0.1%'),
  supply: supply.prefault({}),
  scaling: scaling.optional(),
  regions: z.array(region).min(1).optional(),
  batch: batch.optional(),
  batching: batching.optional(),
  tornado: percentField(0.01, 0.9).prefault('20%'),
  simulation: section({
    duration: seconds(1000, 31 * 24 * hourMs).optional(),
    seed: integer(0, 0xffffffff).default(1),
    initialPods: integer(0, 100_000).optional(),
  }).prefault({}),
  assert: assertionLines.prefault({}),
});

export type CapacitySpec = z.output<typeof capacitySpec>;
