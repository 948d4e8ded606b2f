import type { LogMelRecipe } from '../model/model-package.ts';

/**
 * Subtracts the speaker's running mean and divides by a fixed deviation, frame by frame, in place.
 */
export type Normaliser = { apply(frame: Float32Array, at: number): void };

/**
 * Causal mean normalisation. A peak tracker follows the frames' mean log-mel and sinks by
 * `decayNatsPerFrame`; a frame less than `gateNats` below the peak is speech and enters the running
 * mean, itself included, which starts as `mean` worth `priorFrames`.
 */
export function createNormaliser(recipe: LogMelRecipe): Normaliser {
  const { bins, normalisation } = recipe;
  const { priorFrames, gateNats, decayNatsPerFrame, mean, deviation } = normalisation;
  const sum = Float64Array.from(mean, (value) => value * priorFrames);
  let count = priorFrames;
  let peak = Number.NEGATIVE_INFINITY;
  return {
    apply(frame, at) {
      let level = 0;
      for (let b = 0; b < bins; b++) level += frame[at + b]!;
      level /= bins;
      peak = Math.max(peak - decayNatsPerFrame, level);
      if (level > peak - gateNats) {
        count++;
        for (let b = 0; b < bins; b++) sum[b]! += frame[at + b]!;
      }
      for (let b = 0; b < bins; b++) frame[at + b] = (frame[at + b]! - sum[b]! / count) / deviation[b]!;
    },
  };
}
