import type { LogMelRecipe } from '../model/model-package.ts';
import type { RealFft } from './fft.ts';
import { type MelFilters, melFilters } from './mel.ts';

/** Tables of one recipe and the thread's FFT, shared by all streams of an engine. */
export type LogMelPlan = {
  bins: number;
  windowSamples: number;
  hopSamples: number;
  /** Log-mel of the `windowSamples` samples at `offset`, into `out[at .. at + bins)`. */
  frame(samples: Float32Array, offset: number, out: Float32Array, at: number): void;
};

/**
 * ln(filters x |FFT(hann x samples)|^2 + floor), samples on the int16 scale, the window symmetric
 * (0.5 - 0.5 cos(2 pi n / (N - 1))), zero-padded to the FFT's size.
 */
export function createLogMelPlan(recipe: LogMelRecipe, sampleRateHz: number, fft: RealFft): LogMelPlan {
  const windowSamples = Math.round((recipe.windowMs * sampleRateHz) / 1000);
  const hopSamples = Math.round((recipe.hopMs * sampleRateHz) / 1000);
  const window = Float32Array.from({ length: windowSamples }, (_, n) => {
    return int16Scale * (0.5 - 0.5 * Math.cos((2 * Math.PI * n) / (windowSamples - 1)));
  });
  const filters = melFilters(recipe, sampleRateHz);
  const power = new Float32Array(recipe.fft / 2 + 1);
  const { input, output } = fft;
  return {
    bins: recipe.bins,
    windowSamples,
    hopSamples,
    frame(samples, offset, out, at) {
      for (let n = 0; n < windowSamples; n++) input[n] = samples[offset + n]! * window[n]!;
      // The buffer is shared: another recipe's longer window may have left samples here.
      input.fill(0, windowSamples);
      fft.run();
      toPower(output, power);
      applyFilters(filters, power, recipe.floor, out, at);
    },
  };
}

const int16Scale = 32_768;

function toPower(spectrum: Float32Array, power: Float32Array): void {
  const half = power.length - 1;
  power[0] = spectrum[0]! * spectrum[0]!;
  power[half] = spectrum[1]! * spectrum[1]!;
  for (let k = 1; k < half; k++) {
    const re = spectrum[2 * k]!;
    const im = spectrum[2 * k + 1]!;
    power[k] = re * re + im * im;
  }
}

function applyFilters(filters: MelFilters, power: Float32Array, floor: number, out: Float32Array, at: number): void {
  const { first, begin, weights } = filters;
  for (let m = 0; m < first.length; m++) {
    const end = begin[m + 1]!;
    const toBin = first[m]! - begin[m]!;
    let sum = floor;
    for (let k = begin[m]!; k < end; k++) sum += weights[k]! * power[toBin + k]!;
    out[at + m] = Math.log(sum);
  }
}
