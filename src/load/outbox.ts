import { type Codec, encodeFrame, frameFlags } from '../protocol/frame.ts';

/**
 * The client's sending side of one epoch: numbers frames on the sample clock and keeps each until the server has
 * acknowledged it, so that a lost socket loses no audio.
 */
export class Outbox {
  readonly #codec: Codec;
  readonly #bytesPerSample: number;
  /** Encoded frames; `#kept[i]` has seq `#firstKept + i`. */
  readonly #kept: Buffer[] = [];
  #firstKept = 0;
  #nextSample = 0;
  /** Sound was skipped since the last frame. */
  #jumped = false;
  resent = 0;

  constructor(codec: Codec) {
    this.#codec = codec;
    this.#bytesPerSample = codec === 'pcm_s16le' ? 2 : 4;
  }

  /** Frames numbered so far. */
  get sent(): number {
    return this.#firstKept + this.#kept.length;
  }

  /** Frames that no ack has covered yet. */
  get unacked(): number {
    return this.#kept.length;
  }

  /** Messages that wait for their ack, in order. */
  kept(): readonly Buffer[] {
    return this.#kept;
  }

  /** Numbers and keeps one frame of whole samples; the result is the message to send. */
  add(payload: Uint8Array): Buffer {
    const message = encodeFrame({
      codec: this.#codec,
      flags: this.#jumped ? frameFlags.discontinuity : 0,
      epoch: 0,
      seq: this.sent,
      firstSample: this.#nextSample,
      payload,
    });
    this.#jumped = false;
    this.#nextSample += payload.byteLength / this.#bytesPerSample;
    this.#kept.push(message);
    return message;
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
    this.#kept.splice(0, covered);
    this.#firstKept += covered;
  }

  /** The messages to send again after a resume, marked as such; `nextSeq` is where the server wants to go on. */
  retransmit(nextSeq: number): readonly Buffer[] {
    this.acknowledge(nextSeq);
    for (const message of this.#kept) message[flagsOffset] = message[flagsOffset]! | frameFlags.retransmit;
    this.resent += this.#kept.length;
    return this.#kept;
  }
}

/** Place of the flags byte in the frame header (protocol/frame.ts). */
const flagsOffset = 3;
