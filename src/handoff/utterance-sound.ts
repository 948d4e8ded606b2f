/** Sound at the model's rate: whole numbers of 16 bits, or in [-1, 1). */
type Pcm = Int16Array | Float32Array;

/** Sound that was lost on the way: so much time passed, ms. */
type Gap = { gapMs: number };
export type SoundPart = Pcm | Gap;

/**
 * The sound of one utterance since its beginning, so that it can be heard again. One that is longer
 * than `maxBytes` allows is forgotten as a whole: half of it would be scored as if the learner had
 * left the rest out.
 */
export class UtteranceSound {
  readonly #maxBytes: number;
  #parts: SoundPart[] = [];
  /** Samples of the newest part that are in use. */
  #filled = 0;
  #bytes = 0;
  #isTooLong = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get isTooLong(): boolean {
    return this.#isTooLong;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @param pcm They are copied. */
  push(pcm: Pcm): void {
    if (this.#isTooLong) return;
    this.#bytes += pcm.byteLength;
    if (this.#bytes > this.#maxBytes) {
      this.#isTooLong = true;
      this.clear();
      return;
    }
    for (let at = 0; at < pcm.length; ) at += this.#fill(pcm, at);
  }

  gap(ms: number): void {
    if (this.#isTooLong) return;
    this.#seal();
    this.#parts.push({ gapMs: ms });
  }

  /** Everything that came, in order; nothing is kept from here on. */
  take(): readonly SoundPart[] {
    this.#seal();
    const parts = this.#parts;
    this.clear();
    return parts;
  }

  clear(): void {
    this.#parts = [];
    this.#bytes = 0;
    this.#filled = 0;
  }

  /** Copies what the newest block has room for; how many samples those were. */
  #fill(pcm: Pcm, from: number): number {
    let block = this.#parts.at(-1);
    const fits = block && !('gapMs' in block) && block.constructor === pcm.constructor && this.#filled < block.length;
    if (!fits) {
      this.#seal();
      block = pcm instanceof Int16Array ? new Int16Array(blockSamples) : new Float32Array(blockSamples);
      this.#parts.push(block);
      this.#filled = 0;
    }
    const room = block as Pcm;
    const count = Math.min(pcm.length - from, room.length - this.#filled);
    room.set(pcm.subarray(from, from + count), this.#filled);
    this.#filled += count;
    return count;
  }

  /** Nothing more goes into the newest block. */
  #seal(): void {
    const newest = this.#parts.at(-1);
    if (!newest || 'gapMs' in newest || this.#filled === newest.length) return;
    this.#parts[this.#parts.length - 1] = newest.slice(0, this.#filled);
  }
}

/** A second of 16 kHz. */
const blockSamples = 16_000;
