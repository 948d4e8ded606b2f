import { describe, expect, it } from 'vitest';
import { EngineCore } from '../../../src/acoustic/engine/engine-core.ts';
import type { AcousticEngine } from '../../../src/acoustic/engine/types.ts';
import { realFft } from '../../../src/acoustic/features/fft.ts';
import { createLogMelPlan } from '../../../src/acoustic/features/log-mel.ts';
import { loadModelPackage } from '../../../src/acoustic/model/load-model.ts';
import { openSession } from '../../../src/acoustic/onnx/onnx-session.ts';
import { openSameOnCpu } from '../../../src/acoustic/onnx/same-on-cpu.ts';
import { shapesUpTo } from '../../../src/acoustic/onnx/shapes.ts';
import { Stepper } from '../../../src/acoustic/onnx/stepper.ts';
import { type Heard, hear, largestDifference, testSound } from '../../kit/tiny-model.ts';

const model = loadModelPackage('models/en-learner');
/** 8 s: more than the past that is kept. */
const sounds = [1, 2, 3].map((seed) => testSound(128_000 - 8000 * seed, seed));

describe('an engine whose device is lost', () => {
  it.each([
    ['at its first run', 0],
    ['early', 3],
    ['in the middle', 25],
    ['beyond the past that is kept', 60],
  ])('%s gives every frame once, each as it would have been', async (_, runs) => {
    const whole = await together(await engineOn({ loseAfterRuns: Number.POSITIVE_INFINITY }));
    const engine = await engineOn({ loseAfterRuns: runs });
    const heard = await together(engine);
    expect(engine.losses).toEqual(['the device is gone']);
    expect(engine.provider).toBe('cpu');
    heard.forEach((one, i) => {
      expect(one.frames).toBe(whole[i]!.frames);
      expect(largestDifference(one.logPosterior, whole[i]!.logPosterior)).toBeLessThan(0.001);
    });
  });

  it('serves streams that come afterwards', async () => {
    const engine = await engineOn({ loseAfterRuns: 2 });
    await together(engine);
    const later = await together(engine);
    expect(later.map(({ frames }) => frames)).toEqual([375, 350, 325]);
    expect(engine.losses).toHaveLength(1);
  });

  it('fails its streams when nothing can take its place', async () => {
    const engine = await engineOn({ loseAfterRuns: 5, replaceable: false });
    await expect(together(engine)).rejects.toThrow('the device is gone');
    expect(engine.provider).toBe('webgpu');
  });
});

describe('an engine whose run fails on purpose', () => {
  it('loses its accelerator, and gives every frame once, each as it would have been', async () => {
    const whole = await together(await engineOn({ loseAfterRuns: Number.POSITIVE_INFINITY }));
    const engine = await engineOn({ loseAfterRuns: Number.POSITIVE_INFINITY, failAtPush: 20 });
    const heard = await together(engine);
    expect(engine.losses).toEqual(['a run of the model failed by fault injection']);
    expect(engine.provider).toBe('cpu');
    heard.forEach((one, i) => {
      expect(one.frames).toBe(whole[i]!.frames);
      expect(largestDifference(one.logPosterior, whole[i]!.logPosterior)).toBeLessThan(0.001);
    });
  });

  it('fails its streams on the CPU, which nothing can take the place of', async () => {
    const engine = await engineOn({ loseAfterRuns: Number.POSITIVE_INFINITY, provider: 'cpu', failAtPush: 20 });
    await expect(together(engine)).rejects.toThrow('by fault injection');
  });
});

type Losable = AcousticEngine & { losses: string[] };

/** `failAtPush`: a run fails on purpose after so many pieces of sound. */
type Losing = { loseAfterRuns: number; replaceable?: boolean; provider?: 'webgpu' | 'cpu'; failAtPush?: number };

/** The shipped float network, taken for one on an accelerator whose every run fails after so many. */
async function engineOn({ loseAfterRuns, replaceable = true, provider = 'webgpu', failAtPush = Number.NaN }: Losing) {
  const opened = await openSession({ onnxPath: model.onnxPath }, 'cpu', 1, async () => {});
  const { session } = opened;
  let runs = 0;
  const losable = Object.assign(Object.create(session), {
    run: (...given: Parameters<typeof session.run>) =>
      runs++ < loseAfterRuns ? session.run(...given) : Promise.reject(new Error('the device is gone')),
    release: () => session.release(),
  });
  const stepper = new Stepper(model, { ...opened, session: losable, provider }, 40, shapesUpTo(64));
  const losses: string[] = [];
  let pushes = 0;
  const core = new EngineCore({
    model,
    plan: createLogMelPlan(model.features, model.sampleRateHz, await realFft(model.features.fft)),
    stepper,
    pace: { steps: 5, fillMs: 0 },
    fallBack(error) {
      losses.push(error.message);
      return replaceable ? openSameOnCpu(model, 1) : Promise.reject(new Error('no memory'));
    },
  });
  const engine: Losable = {
    model,
    losses,
    get provider() {
      return core.provider;
    },
    open(onFrames, onError) {
      const stream = core.open(onFrames, onError);
      return {
        push: (pcm) => {
          pushes += 1;
          if (pushes === failAtPush) core.disturb({ action: 'fail' });
          stream.push(pcm, performance.now());
        },
        end: () => stream.end(performance.now()),
        giveWay() {},
        close: () => stream.close(),
      };
    },
    stats: () => ({ ...core.stats(), silentMs: 0, restarts: 0 }),
    close: () => core.close(),
  };
  return engine;
}

/** All sounds to the engine, a tenth of a second of each at a time. */
async function together(engine: AcousticEngine): Promise<Heard[]> {
  const pushes: (() => void)[][] = [];
  const source: AcousticEngine = {
    ...engine,
    open(...listeners) {
      const stream = engine.open(...listeners);
      const own: (() => void)[] = [];
      pushes.push(own);
      return {
        ...stream,
        push: (pcm) => own.push(() => stream.push(pcm)),
        end: async () => {
          await played;
          await stream.end();
        },
      };
    },
  };
  let finish = (): void => {};
  const played = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const heard = Promise.all(sounds.map((sound) => hear(source, sound, [1600])));
  heard.catch(() => {});
  for (let at = 0; at < 80; at++) {
    for (const own of pushes) own[at]?.();
    // The engine runs what is there.
    for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  finish();
  return await heard;
}
