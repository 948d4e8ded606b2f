import type { LoadReport, Summary } from '../../src/results/report.ts';

const never = Number.POSITIVE_INFINITY;

function summary(samples: number, p50Ms: number | undefined, restMs = p50Ms, lost = 0): Summary {
  const rest = { p90Ms: restMs, p95Ms: restMs, p99Ms: restMs, p999Ms: restMs, maxMs: restMs };
  return { samples, never: lost, meanMs: p50Ms === undefined ? undefined : p50Ms + 0.02, p50Ms, ...rest };
}

/** A run that failed in every way that a report can show. */
export const report: LoadReport = {
  kind: 'LoadReport',
  version: 4,
  speechfbVersion: '0.1.0',
  startedAt: '2026-11-23T22:00:00.000Z',
  elapsedMs: 25_300,
  scenario: {
    name: 'quickstart',
    learners: 20,
    rampMs: 3000,
    durationMs: 25_000,
    frameMs: 20,
    emitIntervalMs: 100,
    pauseMs: 500,
    seed: 1,
    target: 'embedded',
    planHash: '0123456789abcdef',
  },
  shard: undefined,
  environment: { node: '20.20.2', platform: 'linux', cpus: 2, cpuModel: 'a model', memoryBytes: 8e9 },
  verdict: 'fail',
  interrupted: false,
  assumeIndependent: false,
  aborted: undefined,
  warmupMs: 0,
  cost: undefined,
  objectives: [
    {
      objective: 'p95(feedback_latency) < 500ms',
      metric: 'feedback_latency',
      verdict: 'fail',
      value: never,
      bound: 500,
      unit: 'ms',
      samples: 4060,
      misses: 300,
      confidenceBound: undefined,
      needsMore: undefined,
      needsSessions: undefined,
      reason: '300 of 4060 missed',
      clustered: undefined,
    },
    {
      objective: 'availability >= 99.9%',
      metric: 'availability',
      verdict: 'invalid',
      value: 1,
      bound: 0.999,
      unit: 'share',
      samples: 2983,
      misses: 0,
      confidenceBound: 0.99899,
      needsMore: 12,
      needsSessions: undefined,
      reason: 'not proven; needs 12 more samples, none a miss',
      clustered: undefined,
    },
  ],
  validity: [
    { check: 'send lateness', ok: false, detail: 'p99 12.0 ms, at most 10 ms' },
    { check: 'feedback due', ok: true, detail: '4060 times' },
  ],
  distributions: { feedback_latency: summary(4060, 45, never, 300), resume_time: summary(0, undefined) },
  stages: { capture: summary(3760, 20), uplink: summary(3760, 0.18, 0.8) },
  shares: { availability: { good: 3760, total: 4060 }, goodput: { good: 114, total: 120 } },
  rates: { revision_rate: { count: 9, of: 100 } },
  counts: { sessions_refused: { count: 1, of: 20 }, sessions_died: { count: 1, of: 20 } },
  totals: {
    sessions: 20,
    sessionsOk: 18,
    sessionsCut: 0,
    utterances: 120,
    framesSent: 20_000,
    framesAcked: 19_990,
    audioMinutesDue: 6,
    audioMinutesServed: 5.9,
    events: 8500,
    warmupSamples: 40,
  },
  slices: [],
  backends: [],
  faults: [
    { kind: 'reconnect', plannedMs: 5000, atMs: 5003, affected: { learners: 3, of: 4 } },
    { kind: 'stall-inference', plannedMs: 9000, atMs: 9001, untilMs: 11_001 },
  ],
  generators: [{ learners: 20, busy: 0.12, cpu: 0.1, waited: 0.01, loopDelayP99Ms: 1.4, rssBytes: 80e6 }],
  sessionErrors: [
    { text: 'server_busy: no room', count: 3 },
    { text: 'lost: gone (4504)', count: 1 },
  ],
};
