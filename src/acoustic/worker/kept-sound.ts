import { contextMs } from '../engine/context.ts';
import { fullScale, type Samples } from '../engine/types.ts';

/**
 * The sound of a stream that another worker would need to go on where one died: all that is not
 * answered yet, and a few seconds before it, from which the model finds its state again. 16-bit, in
 * blocks that begin on a frame.
 */
export class KeptSound {
  readonly #pool: SoundBlocks;
  readonly #blocks: Int16Array[] = [];
  /** Blocks forgotten so far. */
  #firstBlock = 0;
  /** Samples of the last block that are filled. */
  #filled: number;

  constructor(pool: SoundBlocks) {
    this.#pool = pool;
    this.#filled = pool.samples;
  }

  push(pcm: Samples): void {
    for (let at = 0; at < pcm.length; ) {
      if (this.#filled === this.#pool.samples) this.#addBlock();
      const block = this.#blocks.at(-1)!;
      const count = Math.min(pcm.length - at, this.#pool.samples - this.#filled);
      if (pcm instanceof Int16Array) block.set(count === pcm.length ? pcm : pcm.subarray(at, at + count), this.#filled);
      else narrow(pcm.subarray(at, at + count), block, this.#filled);
      this.#filled += count;
      at += count;
    }
  }

  /**
   * All frames before `nextFrame` are known: what lies further back than the context is forgotten.
   */
  answered(nextFrame: number): void {
    const wanted = Math.floor((nextFrame - this.#pool.contextFrames) / this.#pool.frames);
    while (this.#firstBlock < wanted && this.#blocks.length > 1) {
      this.#pool.giveBack(this.#blocks.shift()!);
      this.#firstBlock++;
    }
  }

  /** Everything kept, and the frame that it begins with. */
  replay(): { pcm: Int16Array; firstFrame: number } {
    const held = Math.max(0, this.#blocks.length * this.#pool.samples - (this.#pool.samples - this.#filled));
    const pcm = new Int16Array(held);
    this.#blocks.forEach((block, index) => {
      const start = index * this.#pool.samples;
      pcm.set(block.subarray(0, held - start), start);
    });
    return { pcm, firstFrame: this.#firstBlock * this.#pool.frames };
  }

  /** The stream is over: its memory is for others. */
  release(): void {
    for (const block of this.#blocks.splice(0)) this.#pool.giveBack(block);
    this.#filled = this.#pool.samples;
  }

  #addBlock(): void {
    this.#blocks.push(this.#pool.take());
    this.#filled = 0;
  }
}

/**
 * Blocks of half a second that the streams of an engine share: memory that is found and returned
 * for each stream would be scattered, and the process would grow.
 */
export class SoundBlocks {
  readonly frames: number;
  readonly samples: number;
  readonly contextFrames: number;
  readonly #spare: Int16Array[] = [];

  constructor({ sampleRateHz, strideMs }: { sampleRateHz: number; strideMs: number }) {
    this.frames = Math.ceil(blockMs / strideMs);
    this.samples = Math.round((this.frames * strideMs * sampleRateHz) / 1000);
    this.contextFrames = Math.ceil(contextMs / strideMs);
  }

  take(): Int16Array {
    return this.#spare.pop() ?? new Int16Array(this.samples);
  }

  giveBack(block: Int16Array): void {
    if (this.#spare.length < mostSpare) this.#spare.push(block);
  }
}

const blockMs = 500;
/**
 * What 400 streams keep in calm times, 32 MB: the blocks of a burst go back to the system.
 */
const mostSpare = 2000;

/** A typed array would cut the fraction off, and wrap what is too loud. */
function narrow(pcm: Float32Array, block: Int16Array, at: number): void {
  for (let i = 0; i < pcm.length; i++) block[at + i] = clamp(pcm[i]! * fullScale);
}

function clamp(value: number): number {
  if (value >= 32_767) return 32_767;
  if (value <= -32_768) return -32_768;
  return Math.floor(value + 0.5);
}
