import { runGenerators } from '../../src/load/generator/pool.ts';
import { steadyLoad } from '../../src/load/plan/load-profile.ts';
import { planLearners } from '../../src/load/plan/plan.ts';
import type { Clip } from '../../src/load/scenario/clips.ts';
import type { GeneratorResult } from '../../src/results/merge-results.ts';

export const frameMs = 20;

export type Reading = {
  learners: number;
  /** Within this time they come, and for so long they read in all. */
  rampMs: number;
  durationMs: number;
  clips: readonly Clip[];
  url: string;
  token?: string | undefined;
  seed: number;
};

/** Learners who read one text after the other to a server, from a process of their own. */
export async function readTo({
  learners,
  rampMs,
  durationMs,
  clips,
  seed,
  url,
  token,
}: Reading): Promise<GeneratorResult> {
  const behaviour = { frameMs, pause: { leastMs: 200, mostMs: 200 } };
  const task = {
    plans: planLearners({ shape: steadyLoad(learners, rampMs, durationMs), behaviour, seed, clips }),
    faults: [],
    networks: {},
    clips,
    url,
    token,
    tls: undefined,
    frameMs,
    emitIntervalMs: 100,
    warmupMs: 0,
    durationMs,
    drainMs: 5000,
    loadPhases: [],
    startAtEpochMs: undefined,
    seed,
  };
  return runGenerators(task, { onProgress: () => {}, signal: new AbortController().signal }, 1);
}
