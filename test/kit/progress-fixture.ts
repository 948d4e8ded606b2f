import type { LoadProgress } from '../../src/load/generator/live-run.ts';

/** A test half way. */
export const progress: LoadProgress = {
  elapsedMs: 12_500,
  leftMs: 12_500,
  sessions: { planned: 20, arrived: 15, ended: 1, refused: 0, died: 0 },
  samples: 1893,
  never: 0,
  p50Ms: 61,
  p95Ms: 88.1,
  p99Ms: 120,
  recentP95Ms: 90,
  sendLatenessP99Ms: 1.3,
  framesSent: 9000,
  utterances: 40,
  violations: 2,
  stages: [
    { stage: 'queue', p50Ms: 2, p95Ms: 5, recentP95Ms: 6 },
    { stage: 'asr', p50Ms: 11, p95Ms: 21, recentP95Ms: 22 },
  ],
  profiles: [{ profile: 'direct', samples: 1893, p50Ms: 61, p95Ms: 88.1 }],
  objectives: [],
};
