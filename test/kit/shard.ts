import type { GeneratorTask } from '../../src/load/generator/generator.ts';
import { steadyLoad } from '../../src/load/plan/load-profile.ts';
import { planLearners } from '../../src/load/plan/plan.ts';

/** A second of the same sample, read as one letter. */
export const toneClip = {
  id: 'tone',
  text: 'a',
  language: 'en-US',
  sampleRateHz: 16_000,
  durationMs: 1000,
  pcm: new Uint8Array(32_000).fill(7),
  speechBeginMs: 0,
};

/** Learners of `durationMs` who come within 100 ms and pause for 100 ms, as seed 3 draws them. */
export function plansOf(learners: number, { durationMs = 2000, clip = toneClip, frameMs = 20 } = {}) {
  return planLearners({
    shape: steadyLoad(learners, 100, durationMs),
    behaviour: { frameMs, pause: { leastMs: 100, mostMs: 100 } },
    seed: 3,
    clips: [clip],
  });
}

/** What a generator is to do with such learners. Nobody listens at its URL. */
export function taskOf(plans: GeneratorTask['plans'], changes: Partial<GeneratorTask> = {}): GeneratorTask {
  return {
    plans,
    faults: [],
    networks: {},
    clips: [toneClip],
    url: 'ws://127.0.0.1:9/v1/stream',
    token: undefined,
    tls: undefined,
    frameMs: 20,
    emitIntervalMs: 100,
    warmupMs: 0,
    durationMs: 2000,
    drainMs: 3000,
    seed: 3,
    loadPhases: [],
    startAtEpochMs: undefined,
    ...changes,
  };
}

/** Frames that these learners would say. */
export function framesOf(plans: GeneratorTask['plans']): number {
  return plans.flatMap((plan) => plan.utterances).reduce((sum, { frames }) => sum + frames, 0);
}
