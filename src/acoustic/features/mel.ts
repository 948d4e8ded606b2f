import type { LogMelRecipe } from '../model/model-package.ts';

/**
 * Triangular filters without their zeros: filter m weighs power bins first[m] .. first[m] +
 * weights[m].length - 1.
 */
export type MelFilters = { first: Int32Array; weights: Float32Array[] };

/**
 * Triangles of peak 1, linear in mel = 1127 ln(1 + f / 700), their corners evenly spaced in mel
 * from lowHz to highHz. Power bin k is at k * sampleRateHz / fft.
 */
export function melFilters(recipe: LogMelRecipe, sampleRateHz: number): MelFilters {
  const { bins, fft, lowHz, highHz } = recipe;
  const [low, high] = [mel(lowHz), mel(highHz)];
  const corner = (i: number) => low + ((high - low) * i) / (bins + 1);
  const first = new Int32Array(bins);
  const weights: Float32Array[] = [];
  for (let m = 0; m < bins; m++) {
    const [left, centre, right] = [corner(m), corner(m + 1), corner(m + 2)];
    const filter: number[] = [];
    for (let k = 0; k <= fft / 2; k++) {
      const at = mel((k * sampleRateHz) / fft);
      const weight = Math.min((at - left) / (centre - left), (right - at) / (right - centre));
      if (weight <= 0) continue;
      if (filter.length === 0) first[m] = k;
      filter.push(weight);
    }
    weights.push(Float32Array.from(filter));
  }
  return { first, weights };
}

function mel(hz: number): number {
  return 1127 * Math.log(1 + hz / 700);
}
