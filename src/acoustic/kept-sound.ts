/**
 * The sound of a stream that another worker would need to go on where one died: all that is not answered yet, and a few
 * seconds before it, from which the model finds its state again. 16-bit, in blocks that begin on a frame.
 */
export class KeptSound {
  private readonly blocks: Int16Array[] = [];
  private readonly framesPerBlock: number;
  private readonly contextFrames: number;
  private readonly blockSamples: number;
  /** Blocks forgotten so far. */
  private firstBlock = 0;
  /** Samples of the last block that are filled. */
  private filled: number;
  private spare: Int16Array | undefined;

  constructor(model: { sampleRateHz: number; strideMs: number }) {
    this.framesPerBlock = Math.ceil(blockMs / model.strideMs);
    this.contextFrames = Math.ceil(contextMs / model.strideMs);
    this.blockSamples = Math.round((this.framesPerBlock * model.strideMs * model.sampleRateHz) / 1000);
    this.filled = this.blockSamples;
  }

  /** Samples in [-1, 1]. */
  push(pcm: Float32Array): void {
    for (let at = 0; at < pcm.length; ) {
      if (this.filled === this.blockSamples) this.addBlock();
      const block = this.blocks.at(-1)!;
      const count = Math.min(pcm.length - at, this.blockSamples - this.filled);
      // A typed array cuts the fraction off and would wrap what is too loud.
      for (let i = 0; i < count; i++) block[this.filled + i] = clamp(pcm[at + i]! * 32_768);
      this.filled += count;
      at += count;
    }
  }

  /** All frames before `nextFrame` are known: what lies further back than the context is forgotten. */
  answered(nextFrame: number): void {
    const wanted = Math.floor((nextFrame - this.contextFrames) / this.framesPerBlock);
    while (this.firstBlock < wanted && this.blocks.length > 1) {
      this.spare = this.blocks.shift();
      this.firstBlock++;
    }
  }

  /** Everything kept, and the frame that it begins with. */
  replay(): { pcm: Float32Array; firstFrame: number } {
    const held = Math.max(0, this.blocks.length * this.blockSamples - (this.blockSamples - this.filled));
    const pcm = new Float32Array(held);
    this.blocks.forEach((block, index) => {
      const start = index * this.blockSamples;
      for (let i = 0; i < this.blockSamples && start + i < held; i++) pcm[start + i] = block[i]! / 32_768;
    });
    return { pcm, firstFrame: this.firstBlock * this.framesPerBlock };
  }

  private addBlock(): void {
    this.blocks.push(this.spare ?? new Int16Array(this.blockSamples));
    this.spare = undefined;
    this.filled = 0;
  }
}

const blockMs = 500;
/** The shipped network looks back 0.9 s; its mean of the speaker's loud frames weighs 1 s of the prior. */
const contextMs = 2000;

function clamp(value: number): number {
  return Math.max(-32_768, Math.min(32_767, Math.round(value)));
}
