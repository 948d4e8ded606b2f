import type { RunMetadata } from '../../src/results/judge-run.ts';
import { parseObjective } from '../../src/slo/objective/expression.ts';

/** What is known of a run besides its measurements. */
export const metadata: RunMetadata = {
  speechfbVersion: '0.1.0',
  startedAt: '2026-11-26T09:00:00.000Z',
  elapsedMs: 2000,
  scenario: {
    name: 'tried',
    learners: 30,
    rampMs: 0,
    durationMs: 2000,
    frameMs: 20,
    emitIntervalMs: 100,
    pauseMs: 500,
    seed: 3,
    target: 'embedded',
    planHash: '0123456789abcdef',
  },
  shard: undefined,
  environment: { node: '20.20.2', platform: 'linux', cpus: 2, cpuModel: 'a model', memoryBytes: 8e9 },
  interrupted: false,
  assumeIndependent: false,
  aborted: undefined,
  warmupMs: 0,
  prices: undefined,
  sessionErrors: [],
  objectives: [parseObjective('p95(feedback_latency) < 500ms'), parseObjective('availability{profile=lte} >= 99%')],
  generators: [],
  faults: [],
};
