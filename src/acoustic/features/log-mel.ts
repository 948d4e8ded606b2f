import type { LogMelRecipe } from '../model/model-package.ts';
import type { RealFft } from './fft.ts';
import { type MelFilters, melFilters } from './mel.ts';
import { createMelKernel } from './mel-kernel.ts';
import { createNormaliser, type SpeakerMean } from './normaliser.ts';

/** Tables of one recipe and the thread's FFT, shared by all streams of an engine. */
export type LogMelPlan = {
  bins: number;
  windowSamples: number;
  hopSamples: number;
  /**
   * Log-mel of the `windowSamples` samples at `offset`, full scale 32,768, into
   * `out[at .. at + bins)`.
   */
  frame(samples: Float32Array, offset: number, out: Float32Array, at: number): void;
  /** What `normalisedFrame` knows of a speaker of whom nothing was heard yet. */
  newSpeaker(): SpeakerMean;
  /**
   * As `frame`, normalised by what is known of the speaker, the frame among it. False, with nothing
   * done, where a sample is no finite number, which no bin of a spectrum is without, or where the
   * power is beyond float32.
   */
  normalisedFrame(samples: Float32Array, offset: number, speaker: SpeakerMean, out: Float32Array, at: number): boolean;
};

/**
 * ln(filters x |FFT(hann x samples)|^2 + floor), samples on the int16 scale, the window symmetric
 * (0.5 - 0.5 cos(2 pi n / (N - 1))), zero-padded to the FFT's size.
 */
export function createLogMelPlan(recipe: LogMelRecipe, sampleRateHz: number, fft: RealFft): LogMelPlan {
  const known = plans.get(fft) ?? new Map<string, LogMelPlan>();
  plans.set(fft, known);
  const key = JSON.stringify([recipe, sampleRateHz]);
  const plan = known.get(key) ?? newPlan(recipe, sampleRateHz, fft);
  known.set(key, plan);
  return plan;
}

/** The FFT's memory is not given back: each plan is made once. */
const plans = new WeakMap<RealFft, Map<string, LogMelPlan>>();

function newPlan(recipe: LogMelRecipe, sampleRateHz: number, fft: RealFft): LogMelPlan {
  const windowSamples = Math.round((recipe.windowMs * sampleRateHz) / 1000);
  const hopSamples = Math.round((recipe.hopMs * sampleRateHz) / 1000);
  const { bins } = recipe;
  const { memory, size } = fft;
  const kernel = createMelKernel(memory);
  // Behind the window's end both stay zero.
  const held = floatsIn(fft, size);
  const window = floatsIn(fft, size);
  for (let n = 0; n < windowSamples; n++) {
    window[n] = 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / (windowSamples - 1));
  }
  const power = doublesIn(fft, size / 2 + 1).byteOffset;
  const { pairs, weights } = placeFilters(fft, melFilters(recipe, sampleRateHz), power);
  const floor = doublesIn(fft, 1);
  floor[0] = recipe.floor;
  const slots = 4 * Math.ceil(bins / 4);
  // What stands behind the last bin is the logarithm of 1.
  const sums = doublesIn(fft, slots).fill(1);
  const sumsEnd = sums.byteOffset + 16 * Math.ceil(bins / 2);
  const logs = floatsIn(fft, slots);
  const logsEnd = logs.byteOffset + logs.byteLength;
  const frame = logs.subarray(0, bins);
  const normaliser = createNormaliser(recipe, fft, kernel, logs.byteOffset);
  const hear = (samples: Float32Array, offset: number): void => {
    held.set(samples.subarray(offset, offset + windowSamples));
    kernel.multiply(held.byteOffset, window.byteOffset, fft.input, fft.input + 4 * size);
    fft.run();
    kernel.power(fft.output, power, power + 4 * size);
    kernel.sum(pairs, weights, floor.byteOffset, sums.byteOffset, sumsEnd);
    kernel.log(sums.byteOffset, logs.byteOffset, logsEnd);
  };
  return {
    bins,
    windowSamples,
    hopSamples,
    frame(samples, offset, out, at) {
      hear(samples, offset);
      out.set(frame, at);
    },
    newSpeaker: normaliser.newSpeaker,
    normalisedFrame(samples, offset, speaker, out, at) {
      hear(samples, offset);
      const isSound = normaliser.apply(speaker);
      if (isSound) out.set(frame, at);
      return isSound;
    },
  };
}

/**
 * Puts the filters where the kernel expects them, two by two: neighbours hear nearly the same
 * power, and weigh what only the other hears by 0.
 */
function placeFilters(fft: RealFft, { first, begin, weights }: MelFilters, power: number) {
  const count = Math.ceil(first.length / 2);
  const pairs = new Int32Array(fft.memory.buffer, fft.allocate(8 * count), 2 * count);
  const placed: number[] = [];
  for (let pair = 0; pair < count; pair++) {
    const both = [2 * pair, 2 * pair + 1].filter((m) => begin[m + 1]! > begin[m]!);
    const from = Math.min(...both.map((m) => first[m]!), fft.size / 2);
    const to = Math.max(...both.map((m) => first[m]! + begin[m + 1]! - begin[m]!), from + 1);
    pairs.set([power + 8 * from, power + 8 * to], 2 * pair);
    const weightOf = (m: number, k: number): number => {
      const at = begin[m]! + k - first[m]!;
      return k >= first[m]! && at < begin[m + 1]! ? weights[at]! : 0;
    };
    for (let k = from; k < to; k++) placed.push(weightOf(2 * pair, k), weightOf(2 * pair + 1, k));
  }
  const table = doublesIn(fft, placed.length);
  table.set(placed);
  return { pairs: pairs.byteOffset, weights: table.byteOffset };
}

function floatsIn(fft: RealFft, count: number): Float32Array {
  return new Float32Array(fft.memory.buffer, fft.allocate(4 * count), count).fill(0);
}

function doublesIn(fft: RealFft, count: number): Float64Array {
  return new Float64Array(fft.memory.buffer, fft.allocate(8 * count), count).fill(0);
}
