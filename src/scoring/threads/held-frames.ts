import type { AcousticFrames } from '../../acoustic/engine/types.ts';

/**
 * Frames that wait for their turn, copied from a record whose memory the writer has back by then.
 * The memory of the copies is used again: new memory for each would keep a collector busy.
 */
export class HeldFrames {
  /** Spare blocks by how many values they hold. */
  readonly #spare = new Map<number, Float32Array[]>();

  /** `release` is to be called once, when nobody looks at `frames` any more. */
  hold(given: AcousticFrames): { frames: AcousticFrames; release(): void } {
    const { logPosterior, scoreLogit } = given;
    const length = logPosterior.length + (scoreLogit?.length ?? 0);
    const spare = this.#spareOf(length);
    const block = spare.pop() ?? new Float32Array(length);
    block.set(logPosterior);
    if (scoreLogit) block.set(scoreLogit, logPosterior.length);
    const frames = {
      firstFrame: given.firstFrame,
      count: given.count,
      logPosterior: block.subarray(0, logPosterior.length),
      scoreLogit: scoreLogit && block.subarray(logPosterior.length),
      timing: given.timing,
    };
    const release = (): void => {
      if (spare.length < mostSpare) spare.push(block);
    };
    return { frames, release };
  }

  #spareOf(length: number): Float32Array[] {
    const known = this.#spare.get(length);
    if (known) return known;
    const spare: Float32Array[] = [];
    this.#spare.set(length, spare);
    return spare;
  }
}

/** Two rounds of 200 learners, for each length: less than a megabyte of ordinary frames. */
const mostSpare = 400;
