import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FeatureStream } from '../../../src/acoustic/features/feature-stream.ts';
import { realFft } from '../../../src/acoustic/features/fft.ts';
import { createLogMelPlan } from '../../../src/acoustic/features/log-mel.ts';
import { StepQueue } from '../../../src/acoustic/features/step-queue.ts';
import type { LogMelRecipe, ModelPackage } from '../../../src/acoustic/model/model-package.ts';
import { largestDifference, testSound, tiny } from '../../kit/tiny-model.ts';

/** The recipe by its words, in float64, by a plain Fourier sum. */
function slowLogMel(samples: Float32Array, recipe: LogMelRecipe, sampleRateHz: number): number[] {
  const mel = (hz: number) => 1127 * Math.log(1 + hz / 700);
  const power = Array.from({ length: recipe.fft / 2 + 1 }, (_, k) => {
    let [re, im] = [0, 0];
    samples.forEach((sample, n) => {
      const windowed = 32_768 * sample * (0.5 - 0.5 * Math.cos((2 * Math.PI * n) / (samples.length - 1)));
      re += windowed * Math.cos((2 * Math.PI * k * n) / recipe.fft);
      im += windowed * Math.sin((2 * Math.PI * k * n) / recipe.fft);
    });
    return re * re + im * im;
  });
  const width = (mel(recipe.highHz) - mel(recipe.lowHz)) / (recipe.bins + 1);
  return Array.from({ length: recipe.bins }, (_, m) => {
    const centre = mel(recipe.lowHz) + width * (m + 1);
    const sum = power.reduce((total, value, k) => {
      return total + value * Math.max(0, 1 - Math.abs(mel((k * sampleRateHz) / recipe.fft) - centre) / width);
    }, 0);
    return Math.log(sum + recipe.floor);
  });
}

const onInt16Scale = (samples: Float32Array): Float32Array => samples.map((value) => value * 32_768);

const shipped: LogMelRecipe = {
  ...tiny.features,
  windowMs: 25,
  fft: 512,
  bins: 40,
  lowHz: 60,
  highHz: 7600,
  floor: 1000,
};

describe('log-mel', () => {
  it.each([
    ['of the shipped recipe', shipped, 16_000],
    ['of another recipe', tiny.features, 8000],
  ])('%s agrees with a float64 Fourier sum to 1e-4', async (_, recipe, sampleRateHz) => {
    const plan = createLogMelPlan(recipe, sampleRateHz, await realFft(recipe.fft));
    const samples = testSound(plan.windowSamples);
    const out = new Float32Array(recipe.bins);
    plan.frame(onInt16Scale(samples), 0, out, 0);
    expect(largestDifference(out, slowLogMel(samples, recipe, sampleRateHz))).toBeLessThan(1e-4);
  });

  it('of digital silence is the logarithm of the floor', async () => {
    const plan = createLogMelPlan(shipped, 16_000, await realFft(512));
    const out = new Float32Array(40);
    plan.frame(new Float32Array(400), 0, out, 0);
    for (const value of out) expect(value).toBeCloseTo(Math.log(1000), 6);
  });
});

async function features(
  model: ModelPackage,
  chunks: readonly (Float32Array | Int16Array)[],
  end = true,
): Promise<number[]> {
  const plan = createLogMelPlan(model.features, model.sampleRateHz, await realFft(model.features.fft));
  const queue = new StepQueue(model.features.bins * model.features.stack);
  const stream = new FeatureStream(model, plan, queue);
  for (const chunk of chunks) stream.push(chunk, 0);
  if (end) stream.end(0);
  const out = new Float32Array(queue.length * queue.width);
  stream.take(queue.length, out, 0);
  return [...out];
}

describe('FeatureStream', () => {
  const width = tiny.features.bins * tiny.features.stack;

  it('gives the same steps for any chunking, to the bit', async () => {
    const pcm = testSound(6000);
    const whole = await features(tiny, [pcm]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 900 }), { maxLength: 12 }), async (sizes) => {
        const chunks: Float32Array[] = [];
        let at = 0;
        for (const size of [...sizes, pcm.length]) {
          chunks.push(pcm.slice(at, at + size));
          at += size;
        }
        expect(await features(tiny, chunks)).toEqual(whole);
      }),
      { seed: 4, numRuns: 25 },
    );
  });

  it.each([
    [0, 0],
    [1, 1],
    [240, 1],
    [241, 2],
    [6000, 25],
  ])('ends %i samples of 8 kHz with %i steps of 30 ms and the look-ahead of 1', async (samples, steps) => {
    expect((await features(tiny, [testSound(samples)])).length / width).toBe(steps + 1);
  });

  it('gives a step as soon as its last window is full, and no sooner', async () => {
    // Three hops of 80 samples, the last window of 256: 160 + 256.
    expect((await features(tiny, [testSound(415)], false)).length / width).toBe(0);
    expect((await features(tiny, [testSound(416)], false)).length / width).toBe(1);
  });

  it('hears the same in whole numbers of 16 bits, to the bit', async () => {
    const whole = Int16Array.from(testSound(6000), (value) => value * 32_768);
    const floats = Float32Array.from(whole, (value) => value / 32_768);
    const heard = await features(tiny, [floats]);
    expect(await features(tiny, [whole.subarray(0, 999), whole.subarray(999)])).toEqual(heard);
    // What comes in floats behind it, and in whole numbers again.
    const mixed = [whole.subarray(0, 999), floats.subarray(999, 2001), whole.subarray(2001)];
    expect(await features(tiny, mixed)).toEqual(heard);
  });

  it('takes NaN and infinities as silence', async () => {
    const pcm = testSound(2000);
    const clean = pcm.slice();
    [700, 701].forEach((at, i) => {
      pcm[at] = [Number.NaN, Number.POSITIVE_INFINITY][i]!;
      clean[at] = 0;
    });
    expect(await features(tiny, [pcm])).toEqual(await features(tiny, [clean]));
  });

  it('hears speakers in turn as each alone, to the bit', async () => {
    const voices = [testSound(6000), testSound(6000).map((value) => value * 1e-3), testSound(6000).reverse()];
    const plan = createLogMelPlan(tiny.features, tiny.sampleRateHz, await realFft(tiny.features.fft));
    const speakers = voices.map((pcm) => {
      const queue = new StepQueue(width);
      return { pcm, queue, stream: new FeatureStream(tiny, plan, queue) };
    });
    for (let at = 0; at < 6000; at += 160) {
      for (const { pcm, stream } of speakers) stream.push(pcm.subarray(at, at + 160), 0);
    }
    for (const { pcm, queue, stream } of speakers) {
      const out = new Float32Array(queue.length * width);
      stream.take(queue.length, out, 0);
      expect([...out]).toEqual(await features(tiny, [pcm], false));
    }
  });

  it.each([3e18, 1e19, 1e20, 1e30])('gives numbers where a sample is %d, and goes on', async (loud) => {
    const clean = await features(tiny, [testSound(6000)], false);
    const pcm = testSound(6000);
    pcm[3000] = loud / 32_768;
    const heard = await features(tiny, [pcm], false);
    expect(heard.every(Number.isFinite)).toBe(true);
    expect(heard.length).toBe(clean.length);
  });

  it('normalises by the mean of the loud frames so far, itself included', async () => {
    const recipe = { ...tiny.features, stack: 1 };
    const model: ModelPackage = { ...tiny, features: recipe, strideMs: 10 };
    const plan = createLogMelPlan(recipe, 8000, await realFft(recipe.fft));
    // Loud, then nearly silent (gated out), then loud again.
    const pcm = testSound(5000).map((value, i) => (i > 2000 && i < 3500 ? value * 1e-4 : value));
    const got = await features(model, [pcm], false);
    const { mean, deviation, priorFrames, gateNats, decayNatsPerFrame } = recipe.normalisation;
    let peak = Number.NEGATIVE_INFINITY;
    const gated = [0, 0];
    const sums = mean.map((value) => value * priorFrames);
    let count = priorFrames;
    for (let k = 0; k * 80 + 256 <= pcm.length; k++) {
      const frame = new Float32Array(recipe.bins);
      plan.frame(onInt16Scale(pcm), k * 80, frame, 0);
      const level = frame.reduce((sum, value) => sum + value, 0) / recipe.bins;
      peak = Math.max(level, peak - decayNatsPerFrame);
      const loud = level > peak - gateNats;
      gated[Number(loud)]!++;
      if (loud) {
        count++;
        frame.forEach((value, b) => {
          sums[b]! += value;
        });
      }
      const expected = [...frame].map((value, b) => (value - sums[b]! / count) / deviation[b]!);
      expect(largestDifference(got.slice(k * recipe.bins, (k + 1) * recipe.bins), expected)).toBeLessThan(1e-5);
    }
    expect(Math.min(...gated)).toBeGreaterThan(5);
  });
});
