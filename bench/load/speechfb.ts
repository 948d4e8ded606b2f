import { runGenerators } from '../../src/load/generators.ts';
import { planLearners } from '../../src/load/plan.ts';
import { Recorder } from '../../src/load/recorder.ts';
import { steadyShape } from '../../src/load/shape.ts';
import type { ShardResult } from '../../src/load/shard.ts';

export type Work = { url: string; sessions: number; seconds: number; rampSeconds: number; emitMs: number };

/** Drives the work with speechfb's generator, one process. */
export async function driveSpeechfb({ url, sessions, seconds, rampSeconds, emitMs }: Work): Promise<ShardResult> {
  const frameMs = 20;
  const clip = {
    id: 'noise',
    text: 'a',
    language: 'en-US',
    sampleRateHz: 16_000,
    durationMs: 3_600_000,
    pcm: new Uint8Array(640 * 50 * 4).fill(7),
    speechBeginMs: 0,
  };
  const durationMs = seconds * 1000;
  const plans = planLearners({
    shape: steadyShape(sessions, rampSeconds * 1000, durationMs),
    habits: { frameMs, pause: { leastMs: 0, mostMs: 0 } },
    seed: 1,
    clips: [clip],
  });
  return runGenerators(
    {
      plans,
      faults: [],
      networks: {},
      clips: [clip],
      url,
      token: undefined,
      tls: undefined,
      frameMs,
      emitIntervalMs: emitMs,
      warmupMs: 0,
      durationMs,
      drainMs: 3000,
      seed: 1,
      loadStages: [],
      startAtEpochMs: undefined,
    },
    { onProgress: () => {}, signal: new AbortController().signal },
    1,
  );
}

/** Totals of the whole run. */
export function wholeOf(result: ShardResult) {
  return new Recorder(result.recording).merged();
}
