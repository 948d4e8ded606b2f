/** Follows the level of the background, dB, from the levels of 10 ms frames. */
export type NoiseFloor = {
  /** Takes the next frame's level and returns the floor. */
  update(levelDb: number): number;
};

/**
 * Minimum statistics: the lowest smoothed level of the last 3 s (after Martin, "Noise power
 * spectral density estimation based on optimal smoothing and minimum statistics", 2001, without its
 * bias correction). Speech dips to the background several times within that; steady noise lifts the
 * minimum. In the first half second, where all there is may be speech, the floor is at most
 * `priorDb`, unless the level is as steady as only noise is.
 */
export function createNoiseFloor(): NoiseFloor {
  /** The minima of stretches that are over, and the lowest of them. */
  const minima: number[] = [];
  let lowestBefore = Number.POSITIVE_INFINITY;
  /** That of the stretch that goes on. */
  let minimum = Number.POSITIVE_INFINITY;
  let frames = 0;
  let smoothed = Number.NaN;
  let highest = Number.NEGATIVE_INFINITY;
  return {
    update(levelDb) {
      smoothed = Number.isNaN(smoothed) ? levelDb : smoothed + smoothing * (levelDb - smoothed);
      highest = Math.max(highest, smoothed);
      if (frames > 0 && frames % framesAMinimum === 0) {
        minima.push(minimum);
        if (minima.length >= keptMinima) minima.shift();
        lowestBefore = Math.min(...minima);
        minimum = Number.POSITIVE_INFINITY;
      }
      frames++;
      minimum = Math.min(minimum, smoothed);
      const lowest = Math.min(lowestBefore, minimum);
      const steady = frames >= steadyFrames && highest - lowest < steadyRangeDb;
      return frames < startFrames && !steady ? Math.min(lowest, priorDb) : lowest;
    },
  };
}

const smoothing = 0.4;
const framesAMinimum = 25;
const keptMinima = 12;
const startFrames = 50;
const steadyFrames = 20;
const steadyRangeDb = 6;
const priorDb = -45;
