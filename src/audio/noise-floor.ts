/**
 * Follows the level of the background, dB, from the levels of 10 ms frames. Minimum statistics: the
 * lowest smoothed level of the last 3 s (after Martin, "Noise power spectral density estimation
 * based on optimal smoothing and minimum statistics", 2001, without its bias correction). Speech
 * dips to the background several times within that; steady noise lifts the minimum. In the first
 * half second, where all there is may be speech, the floor is at most `priorDb`, unless the level
 * is as steady as only noise is.
 */
export class NoiseFloor {
  /** The minima of stretches that are over, and the lowest of them. */
  readonly #minima: number[] = [];
  #lowestBefore = Number.POSITIVE_INFINITY;
  /** That of the stretch that goes on. */
  #minimum = Number.POSITIVE_INFINITY;
  #frames = 0;
  #smoothed = Number.NaN;
  #highest = Number.NEGATIVE_INFINITY;

  /** Takes the next frame's level and returns the floor. */
  update(levelDb: number): number {
    const before = this.#smoothed;
    const smoothed = Number.isNaN(before) ? levelDb : before + smoothing * (levelDb - before);
    this.#smoothed = smoothed;
    this.#highest = Math.max(this.#highest, smoothed);
    if (this.#frames > 0 && this.#frames % framesAMinimum === 0) this.#endStretch();
    this.#frames++;
    this.#minimum = Math.min(this.#minimum, smoothed);
    const lowest = Math.min(this.#lowestBefore, this.#minimum);
    if (this.#frames >= startFrames) return lowest;
    const steady = this.#frames >= steadyFrames && this.#highest - lowest < steadyRangeDb;
    return steady ? lowest : Math.min(lowest, priorDb);
  }

  #endStretch(): void {
    this.#minima.push(this.#minimum);
    if (this.#minima.length >= keptMinima) this.#minima.shift();
    this.#lowestBefore = Math.min(...this.#minima);
    this.#minimum = Number.POSITIVE_INFINITY;
  }
}

const smoothing = 0.4;
const framesAMinimum = 25;
const keptMinima = 12;
const startFrames = 50;
const steadyFrames = 20;
const steadyRangeDb = 6;
const priorDb = -45;
