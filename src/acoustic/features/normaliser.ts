import type { LogMelRecipe } from '../model/model-package.ts';
import type { RealFft } from './fft.ts';
import type { MelKernel } from './mel-kernel.ts';

/**
 * What is known of one speaker's voice: a sum a bin of the frames that were speech, their count,
 * and the peak that a frame has to come near.
 */
export type SpeakerMean = Float64Array;

/**
 * Subtracts the speaker's running mean and divides by a fixed deviation, frame by frame, in place.
 */
export type Normaliser = {
  newSpeaker(): SpeakerMean;
  /** Normalises the log-mels that lie in `values`; false, with nothing done, where one is none. */
  apply(speaker: SpeakerMean): boolean;
};

/**
 * Causal mean normalisation. A peak tracker follows the frames' mean log-mel and sinks by
 * `decayNatsPerFrame`; a frame less than `gateNats` below the peak is speech and enters the running
 * mean, itself included, which starts as `mean` worth `priorFrames`.
 *
 * @param values Where the log-mels lie in the memory of the FFT, with room for whole fours.
 */
export function createNormaliser(recipe: LogMelRecipe, fft: RealFft, kernel: MelKernel, values: number): Normaliser {
  const { bins, normalisation } = recipe;
  const { priorFrames, gateNats, decayNatsPerFrame, mean, deviation } = normalisation;
  const slots = 4 * Math.ceil(bins / 4);
  const doubles = (count: number) => new Float64Array(fft.memory.buffer, fft.allocate(8 * count), count);
  const deviations = doubles(slots).fill(1);
  deviations.set(deviation);
  const total = doubles(1);
  const [countAt, peakAt] = [slots, slots + 1];
  const loaded = doubles(slots + 2);
  const [sums, count] = [loaded.byteOffset, loaded.byteOffset + 8 * countAt];
  const prior = new Float64Array(slots + 2);
  prior.set(mean.map((value) => value * priorFrames));
  prior[countAt] = priorFrames;
  prior[peakAt] = Number.NEGATIVE_INFINITY;
  // The one whose mean lies in the FFT's memory: a chunk's frames are one speaker's.
  let current: SpeakerMean | undefined;
  return {
    newSpeaker: () => prior.slice(),
    apply(speaker) {
      kernel.total(values, values + 4 * bins, total.byteOffset);
      const level = total[0]! / bins;
      if (!Number.isFinite(level)) return false;
      if (speaker !== current) {
        current?.set(loaded);
        loaded.set(speaker);
        current = speaker;
      }
      const peak = Math.max(loaded[peakAt]! - decayNatsPerFrame, level);
      loaded[peakAt] = peak;
      if (level > peak - gateNats) {
        loaded[countAt]!++;
        kernel.accumulate(values, sums, count);
      }
      kernel.normalise(sums, count, deviations.byteOffset, values, values + 4 * slots);
      return true;
    },
  };
}
