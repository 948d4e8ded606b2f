import { histogramsReady, LatencyHistogram } from '../../src/metrics/histogram.ts';
import { writeRunDirectory } from '../../src/report/export/run-directory.ts';
import type { LoadReport } from '../../src/results/report.ts';
import { createRandom } from '../../src/stats/random.ts';
import { distributionOf } from './samples.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export type MadeRun = {
  /** Why the generator is not to be trusted. */
  doubt?: string;
  medianMs: number;
  late?: number;
  never?: number;
  sessions?: number;
  events?: number;
  seed?: number;
};

/**
 * A run directory as `loadtest --out` writes it: `sessions` of `events` feedback events each, ten a second, around a median
 * latency; `late` of all events take 900 ms, `never` further ones never came.
 */
export async function makeRun({
  medianMs,
  late = 0,
  never = 0,
  sessions = 40,
  events = 100,
  seed = 1,
  doubt,
}: MadeRun): Promise<string> {
  await histogramsReady();
  const random = createRandom(seed);
  using histogram = new LatencyHistogram();
  const traces = Array.from({ length: sessions }, (_, session) => {
    const own = medianMs * Math.exp(0.05 * random.normal());
    return Array.from({ length: events }, (_, i) => {
      const total_ms = random.uniform() < late ? 900 : own * Math.exp(0.1 * random.normal());
      histogram.record(total_ms);
      return {
        at_ms: i * 100 + session,
        session: `s${session}`,
        utterance: Math.floor(i / 4),
        profile: 'none',
        language: 'en',
        total_ms,
        stages: {},
      };
    });
  }).flat();
  histogram.recordNever(never);
  const directory = temporaryDirectory();
  const summary = { samples: histogram.samples, never };
  const distributions = { feedback_latency: summary } as unknown as LoadReport['distributions'];
  const shares = { session_success: { good: sessions - 1, total: sessions }, availability: { good: 0, total: 0 } };
  const validity = [{ check: 'send lateness', ok: doubt === undefined, detail: doubt ?? 'p99 1 ms' }];
  const report = { ...emptyReport, elapsedMs: events * 100, distributions, shares, validity };
  const histograms = [{ tag: 'feedback_latency', hdr: histogram.encode().hdr, maxMs: 900 }];
  writeRunDirectory(directory, report, {
    histograms,
    feedbackLatency: distributionOf(),
    traces,
    recording: Buffer.of(),
  });
  return directory;
}

const emptyReport: LoadReport = {
  kind: 'LoadReport',
  version: 4,
  speechfbVersion: '0.0.0',
  startedAt: '2026-01-01T00:00:00.000Z',
  elapsedMs: 0,
  scenario: {
    name: 'made',
    learners: 1,
    rampMs: 0,
    durationMs: 1,
    frameMs: 20,
    emitIntervalMs: 100,
    pauseMs: 0,
    seed: 1,
    target: 'embedded',
    planHash: '',
  },
  shard: undefined,
  environment: { node: '', platform: '', cpus: 1, cpuModel: '', memoryBytes: 1 },
  verdict: 'pass',
  interrupted: false,
  aborted: undefined,
  assumeIndependent: false,
  warmupMs: 0,
  cost: undefined,
  objectives: [],
  validity: [],
  distributions: {},
  stages: {},
  shares: {},
  counts: {},
  rates: {},
  totals: {
    sessions: 1,
    sessionsOk: 1,
    sessionsCut: 0,
    utterances: 1,
    framesSent: 1,
    framesAcked: 1,
    audioMinutesDue: 1,
    audioMinutesServed: 1,
    events: 1,
    warmupSamples: 0,
  },
  slices: [],
  backends: [],
  faults: [],
  generators: [],
  sessionErrors: [],
};
