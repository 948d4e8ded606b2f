import type { GeneratorTask } from '../../src/load/generator/generator.ts';
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
export async function readTo({ learners, rampMs, durationMs, seed, ...rest }: Reading): Promise<GeneratorResult> {
  const shape = steadyLoad(learners, rampMs, durationMs);
  const plans = planLearners({ shape, behaviour, seed, clips: rest.clips });
  return readAsPlanned({ ...rest, plans, durationMs, seed });
}

/** How learners of a bench read: frames of 20 ms, hardly a pause. */
export const behaviour = { frameMs, pause: { leastMs: 200, mostMs: 200 } };

/** The same with plans of one's own, and whatever else a generator is told. */
export async function readAsPlanned(
  given: Pick<GeneratorTask, 'plans' | 'clips' | 'url' | 'durationMs' | 'seed'> & Partial<GeneratorTask>,
): Promise<GeneratorResult> {
  const task: GeneratorTask = {
    faults: [],
    networks: {},
    token: undefined,
    tls: undefined,
    frameMs,
    emitIntervalMs: 100,
    warmupMs: 0,
    drainMs: 5000,
    loadPhases: [],
    startAtEpochMs: undefined,
    ...given,
  };
  return runGenerators(task, { onProgress: () => {}, signal: new AbortController().signal }, 1);
}
