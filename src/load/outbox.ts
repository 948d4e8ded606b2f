import { bytesPerSample, type ChecksummedFrame, type Codec, frameFlags } from '../protocol/frame.ts';
import type { SoundFrame } from './frames.ts';

/**
 * The client's sending side of one epoch: numbers frames on the sample clock and keeps each until the server has
 * acknowledged it, so that a lost socket loses no audio. The sound itself is the recording's, and not copied.
 */
export class Outbox {
  readonly #codec: Codec;
  readonly #bytesPerSample: number;
  /** `#kept[i]` has seq `#firstKept + i`. */
  #kept: ChecksummedFrame[] = [];
  #firstKept = 0;
  #nextSample = 0;
  /** Sound was skipped since the last frame. */
  #jumped = false;
  resent = 0;

  constructor(codec: Codec) {
    this.#codec = codec;
    this.#bytesPerSample = bytesPerSample[codec];
  }

  /** Frames numbered so far. */
  get sent(): number {
    return this.#firstKept + this.#kept.length;
  }

  /** Frames that no ack has covered yet. */
  get unacked(): number {
    return this.#kept.length;
  }

  /** Frames that wait for their ack, in order. */
  kept(): readonly ChecksummedFrame[] {
    return this.#kept;
  }

  /** Numbers and keeps one frame of whole samples; the result is what to send. */
  add({ payload, crc32 }: SoundFrame): ChecksummedFrame {
    const frame = {
      codec: this.#codec,
      flags: this.#jumped ? frameFlags.discontinuity : 0,
      epoch: 0,
      seq: this.sent,
      firstSample: this.#nextSample,
      payload,
      crc32,
    };
    this.#jumped = false;
    this.#nextSample += payload.byteLength / this.#bytesPerSample;
    this.#kept.push(frame);
    return frame;
  }

  /** Lets the sample clock run on over sound that is never sent. */
  skip(bytes: number): void {
    this.#nextSample += bytes / this.#bytesPerSample;
    this.#jumped = true;
  }

  /** Forgets every frame before `nextSeq`. */
  acknowledge(nextSeq: number): void {
    const covered = Math.min(nextSeq - this.#firstKept, this.#kept.length);
    if (covered <= 0) return;
    this.#kept = this.#kept.slice(covered);
    this.#firstKept += covered;
  }

  /** The frames to send again after a resume, marked as such; `nextSeq` is where the server wants to go on. */
  retransmit(nextSeq: number): readonly ChecksummedFrame[] {
    this.acknowledge(nextSeq);
    for (const frame of this.#kept) frame.flags |= frameFlags.retransmit;
    this.resent += this.#kept.length;
    return this.#kept;
  }
}
