import type { AudioFrame } from '../../protocol/frame.ts';

/**
 * Bare 16-bit samples as frames: numbered in the order they come, one a message. Messages may end
 * within a sample.
 */
export class BareSound {
  readonly #rateHz: number;
  #seq = 0;
  #samples = 0;
  #half: Buffer | undefined;

  constructor(rateHz: number) {
    this.#rateHz = rateHz;
  }

  /** Sound so far, ms. */
  get ms(): number {
    return (this.#samples / this.#rateHz) * 1000;
  }

  /** Undefined when the message does not complete a sample. */
  frame(bytes: Buffer): AudioFrame | undefined {
    const all = this.#half ? Buffer.concat([this.#half, bytes]) : bytes;
    const whole = all.length & ~1;
    this.#half = whole === all.length ? undefined : Buffer.from(all.subarray(whole));
    if (whole === 0) return undefined;
    const frame = {
      codec: 'pcm_s16le',
      flags: 0,
      epoch: 0,
      seq: this.#seq,
      firstSample: this.#samples,
      payload: all.subarray(0, whole),
    } as const;
    this.#seq += 1;
    this.#samples += whole / 2;
    return frame;
  }
}
