import { crc32 } from 'node:zlib';
import type { Pcm } from '../audio/pcm.ts';

/** One frame of a recording and the checksum that its header carries. */
export type SoundFrame = { payload: Uint8Array; crc32: number };

/**
 * A recording cut into frames, each made once and sent by many; the last one is filled up with
 * silence.
 */
export class SoundFrames {
  /** Whole frames and the part of one at the end. */
  readonly count: number;
  readonly bytesAFrame: number;
  readonly #pcm: Uint8Array;
  readonly #frames: (SoundFrame | undefined)[] = [];

  constructor({ pcm, sampleRateHz }: Pcm, frameMs: number) {
    this.#pcm = pcm;
    this.bytesAFrame = (sampleRateHz * frameMs * 2) / 1000;
    this.count = Math.ceil(pcm.length / this.bytesAFrame);
  }

  at(index: number): SoundFrame {
    let frame = this.#frames[index];
    if (!frame) {
      const payload = this.#payload(index);
      frame = { payload, crc32: crc32(payload) };
      this.#frames[index] = frame;
    }
    return frame;
  }

  #payload(index: number): Uint8Array {
    const frame = this.#pcm.subarray(index * this.bytesAFrame, (index + 1) * this.bytesAFrame);
    if (frame.length === this.bytesAFrame) return frame;
    const padded = new Uint8Array(this.bytesAFrame);
    padded.set(frame);
    return padded;
  }
}
