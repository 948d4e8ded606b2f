import type { LogMelRecipe } from '../model/model-package.ts';

/**
 * Triangular filters without their zeros, their weights one behind the other: filter m's begin at
 * begin[m] and end before begin[m + 1], the first of them weighs power bin first[m].
 */
export type MelFilters = { first: Int32Array; begin: Int32Array; weights: Float32Array };

/**
 * Triangles of peak 1, linear in mel = 1127 ln(1 + f / 700), their corners evenly spaced in mel
 * from lowHz to highHz. Power bin k is at k * sampleRateHz / fft.
 */
export function melFilters(recipe: LogMelRecipe, sampleRateHz: number): MelFilters {
  const { bins, fft, lowHz, highHz } = recipe;
  const [low, high] = [mel(lowHz), mel(highHz)];
  const corner = (i: number) => low + ((high - low) * i) / (bins + 1);
  const first = new Int32Array(bins);
  const begin = new Int32Array(bins + 1);
  const weights: number[] = [];
  for (let m = 0; m < bins; m++) {
    const [left, centre, right] = [corner(m), corner(m + 1), corner(m + 2)];
    for (let k = 0; k <= fft / 2; k++) {
      const at = mel((k * sampleRateHz) / fft);
      const weight = Math.min((at - left) / (centre - left), (right - at) / (right - centre));
      if (weight <= 0) continue;
      if (weights.length === begin[m]) first[m] = k;
      weights.push(weight);
    }
    begin[m + 1] = weights.length;
  }
  return { first, begin, weights: Float32Array.from(weights) };
}

function mel(hz: number): number {
  return 1127 * Math.log(1 + hz / 700);
}
