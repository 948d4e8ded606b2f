/**
 * Blocks that the retained sounds of a gateway share: memory that comes and goes with each text
 * makes the collector go through everything, at half of what a frame costs.
 */
export class TrunkBlocks {
  readonly #spare: Uint8Array[] = [];

  take(): Uint8Array {
    return this.#spare.pop() ?? new Uint8Array(trunkBlockBytes);
  }

  /** Nobody reads the block any more. */
  giveBack(block: Uint8Array): void {
    if (this.#spare.length < mostSpare) this.#spare.push(block);
  }
}

/** Half a second of 16-bit sound at 16 kHz. */
export const trunkBlockBytes = 16 * 1024;
/** 32 MB: what a few hundred readers keep in calm times. */
const mostSpare = 2000;
