import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createInlineEngine } from '../../src/acoustic/engine/inline-engine.ts';
import { FeatureStream } from '../../src/acoustic/features/feature-stream.ts';
import { realFft } from '../../src/acoustic/features/fft.ts';
import { createLogMelPlan } from '../../src/acoustic/features/log-mel.ts';
import { StepQueue } from '../../src/acoustic/features/step-queue.ts';
import { loadModelPackage } from '../../src/acoustic/model/load-model.ts';
import type { ModelPackage } from '../../src/acoustic/model/model-package.ts';
import type { Device } from '../../src/acoustic/onnx/device.ts';
import { readWav } from '../../src/audio/wav.ts';
import { hear, largestDifference, testSound } from '../kit/tiny-model.ts';

type Golden = {
  first_samples: number[];
  last_samples: number[];
  phones: string[];
  log_mel: number[][];
  normalised: number[][];
  log_posterior: number[][];
  score_logit: number[][];
};

const golden: Golden = JSON.parse(readFileSync(`${import.meta.dirname}/golden/logmel.json`, 'utf8'));
const model = loadModelPackage(`${import.meta.dirname}/../../models/en-learner`);
const { onnxCpuPath: _, ...wholeModel } = model;

/** The signal of the golden file's formula, int16 scale. */
function signal(): number[] {
  let lcg = 1;
  return Array.from({ length: 8000 }, (_, n) => {
    lcg = (Math.imul(lcg, 1_664_525) + 1_013_904_223) >>> 0;
    const noise = Math.floor(lcg / 65_536) / 65_536 - 0.5;
    const tones =
      6000 * Math.sin((2 * Math.PI * 220 * n) / 16_000) + 3000 * Math.sin((2 * Math.PI * 1330 * n) / 16_000);
    return Math.floor((n < 2400 ? 0.02 : 1) * (tones + 2500 * noise) + 0.5);
  });
}

const pcm = Float32Array.from(signal(), (value) => value / 32_768);

describe('the shipped package agrees with its training code to 1e-4', () => {
  it('on the signal itself', () => {
    const { first_samples, last_samples } = golden;
    expect(signal().slice(0, first_samples.length)).toEqual(first_samples);
    expect(signal().slice(-last_samples.length)).toEqual(last_samples);
  });

  it('in log-mel', async () => {
    const plan = createLogMelPlan(model.features, 16_000, await realFft(model.features.fft));
    golden.log_mel.forEach((expected, k) => {
      const frame = new Float32Array(plan.bins);
      plan.frame(Float32Array.from(signal()), k * plan.hopSamples, frame, 0);
      expect(largestDifference(frame, expected)).toBeLessThan(1e-4);
    });
  });

  it('in normalised steps', async () => {
    const plan = createLogMelPlan(model.features, 16_000, await realFft(model.features.fft));
    const queue = new StepQueue(plan.bins * model.features.stack);
    const stream = new FeatureStream(model, plan, queue);
    stream.push(pcm, 0);
    const steps = new Float32Array(queue.length * queue.width);
    stream.take(queue.length, steps, 0);
    expect(largestDifference(steps, golden.normalised.flat())).toBeLessThan(1e-4);
  });

  it.each<Device>(['cpu', 'wasm'])('in phone posteriors and score logits, on %s', async (device) => {
    expect(model.phones).toEqual(golden.phones);
    const { logPosterior, scoreLogit } = await all(wholeModel, pcm, device);
    // The training code ends with the last whole step, the engine completes one more: behind it the look-ahead differs.
    const frames = golden.log_posterior.length - model.lookaheadMs / model.strideMs;
    const first = (rows: number[][]) => rows.slice(0, frames).flat();
    expect(largestDifference(logPosterior.slice(0, frames * 40), first(golden.log_posterior))).toBeLessThan(1e-4);
    expect(largestDifference(scoreLogit.slice(0, frames * 40), first(golden.score_logit))).toBeLessThan(1e-4);
  });
});

describe('the integer form for the CPU', () => {
  it.each(['monkeys', 'leader', 'thanks'])('hears in %s what the whole one hears', async (id) => {
    expect(model.onnxCpuPath).toMatch(/model\.cpu\.onnx$/);
    const { samples } = readWav(`${import.meta.dirname}/../../fixtures/audio/${id}.wav`);
    const [whole, integer] = [await all(wholeModel, samples), await all(model, samples)];
    const off = whole.logPosterior.map((log, i) => Math.abs(Math.exp(log) - Math.exp(integer.logPosterior[i]!)));
    const ofAFrame = (off.reduce((sum, value) => sum + value, 0) * model.phones.length) / off.length / 2;
    expect(ofAFrame).toBeGreaterThan(1e-4);
    // Of all probability of a frame, what goes from one phone to another.
    expect(ofAFrame).toBeLessThan(0.04);
  });

  // Scales are fixed: with scales taken from the batch, a learner's score would depend on who else is in it.
  it('gives a stream the same answer among others as alone', async () => {
    const engine = await createInlineEngine({ model, device: 'cpu' });
    const alone = await hear(engine, pcm, [1234]);
    const loud = Float32Array.from(testSound(pcm.length, 7), (sample) => sample * 3);
    const [among] = await Promise.all([
      hear(engine, pcm, [1600]),
      hear(engine, loud, [1600]),
      hear(engine, loud, [1600]),
    ]);
    await engine.close();
    expect(largestDifference(among.logPosterior, alone.logPosterior)).toBeLessThan(1e-4);
    expect(largestDifference(among.scoreLogit, alone.scoreLogit)).toBeLessThan(1e-4);
  });
});

describe('the builds of ONNX Runtime give the same answer to 1e-4', () => {
  it.each([
    ['the whole network', wholeModel],
    ['its integer form', model],
  ])('of %s, on recordings', async (_, package_) => {
    for (const id of ['monkeys', 'leader']) {
      const { samples } = readWav(`${import.meta.dirname}/../../fixtures/audio/${id}.wav`);
      const [native, wasm] = [await all(package_, samples, 'cpu'), await all(package_, samples, 'wasm')];
      expect(largestDifference(wasm.logPosterior, native.logPosterior)).toBeLessThan(1e-4);
      expect(largestDifference(wasm.scoreLogit, native.scoreLogit)).toBeLessThan(1e-4);
    }
  });
});

async function all(package_: ModelPackage, sound: Float32Array, device: Device = 'cpu') {
  const engine = await createInlineEngine({ model: package_, device });
  expect(engine.provider).toBe(device);
  const heard = await hear(engine, sound, [1234]);
  await engine.close();
  return heard;
}
