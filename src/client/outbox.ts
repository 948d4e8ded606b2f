import { bytesPerSample, type ChecksummedFrame, type Codec, frameFlags } from '../protocol/frame.ts';
import type { SoundFrames } from './frames.ts';
import type { FramePlace } from './handover.ts';

/**
 * Frames of one recording that follow one another; `from` is the first that is kept. `skipped`:
 * samples that were never sent just before it. `lost`: their numbers are taken, but the app no
 * longer has them.
 */
type Stretch = { sounds: SoundFrames; from: number; count: number; skipped: number; lost: boolean };

/**
 * The client's sending side of one epoch: numbers frames on the sample clock and keeps each until
 * the server has acknowledged it, so that a lost socket loses no audio. The sound is the
 * recording's, which all learners share: what is kept is where in it the frames are, and their
 * headers are made again when they are needed again.
 */
export class ClientOutbox {
  readonly #codec: Codec;
  readonly #bytesPerSample: number;
  /**
   * The first frame of the first stretch has seq `#firstKept` and, but for what is skipped, begins
   * at `#keptSample`.
   */
  readonly #kept: Stretch[] = [];
  /** The newest of them; it may have no frame left. */
  #last: Stretch | undefined;
  #firstKept = 0;
  #keptSample = 0;
  #sent = 0;
  #lost = 0;
  /** Frames before this one have been received, as far as the server last said. */
  #acked = 0;
  #keptBytes = 0;
  #nextSample = 0;
  /** Samples since the last frame. */
  #skipped = 0;
  resent = 0;

  constructor(codec: Codec) {
    this.#codec = codec;
    this.#bytesPerSample = bytesPerSample[codec];
  }

  /** Frames numbered so far. */
  get sent(): number {
    return this.#sent;
  }

  /** Frames among them that the app has lost. */
  get lost(): number {
    return this.#lost;
  }

  /** Frames that no ack has covered yet, without those that the app has lost. */
  get unacked(): number {
    return this.#beyondAck(({ lost }) => !lost);
  }

  /** Frames that the app has lost, of those that no ack has covered yet. */
  get lostUnacked(): number {
    return this.#beyondAck(({ lost }) => lost);
  }

  /** The first frame that can still be sent again, and where the one before it ended. */
  get keptFrom(): FramePlace {
    return { seq: this.#firstKept, sample: this.#keptSample };
  }

  /** The next frame, and where the newest one ends. */
  get next(): FramePlace {
    return { seq: this.#sent, sample: this.#nextSample - this.#skipped };
  }

  /** Frames that wait for their ack, in order. */
  kept(): ChecksummedFrame[] {
    let seq = this.#firstKept;
    let sample = this.#keptSample;
    return this.#kept.flatMap(({ sounds, from, count, skipped, lost }) => {
      const first = seq;
      sample += skipped;
      const firstSample = sample;
      seq += count;
      sample += count * this.#samplesOf(sounds);
      const begin = Math.max(0, this.#acked - first);
      if (lost || begin >= count) return [];
      return Array.from({ length: count - begin }, (_, i) => {
        const at = begin + i;
        const flags = at === 0 && skipped > 0 ? frameFlags.discontinuity : 0;
        return this.#frame(sounds, from + at, first + at, firstSample + at * this.#samplesOf(sounds), flags);
      });
    });
  }

  /** Numbers and keeps frame `index` of the recording; the result is what to send. */
  add(sounds: SoundFrames, index: number): ChecksummedFrame {
    const flags = this.#skipped > 0 ? frameFlags.discontinuity : 0;
    const frame = this.#frame(sounds, index, this.#sent, this.#nextSample, flags);
    this.#number(sounds, index, false);
    return frame;
  }

  /**
   * Numbers a frame that is then lost: the server finds its place empty, and it is never sent
   * again.
   */
  lose(sounds: SoundFrames, index: number): void {
    this.#number(sounds, index, true);
    this.#lost += 1;
  }

  /** Lets the sample clock run on over sound that is never sent. */
  skip(bytes: number): void {
    const samples = bytes / this.#bytesPerSample;
    this.#nextSample += samples;
    this.#skipped += samples;
  }

  /**
   * The server has every frame before `nextSeq`; those before `keepFrom`, too, are forgotten. More
   * than `mostKeptBytes` of what it has are kept for no other gateway.
   */
  acknowledge(nextSeq: number, keepFrom = nextSeq): void {
    this.#acked = Math.max(this.#acked, Math.min(nextSeq, this.#sent));
    this.#forgetBefore(Math.min(this.#acked, keepFrom));
    while (this.#keptBytes > mostKeptBytes && this.#firstKept < this.#acked) this.#forgetBefore(this.#firstKept + 1);
  }

  /**
   * The frames to send again after a resume, marked as such; `nextSeq` is where the server wants to
   * go on: another one than before may lack what was acknowledged.
   */
  retransmit(nextSeq: number): readonly ChecksummedFrame[] {
    this.#acked = Math.min(nextSeq, this.#sent);
    const frames = this.kept();
    this.resent += frames.length;
    return frames.map((frame) => ({ ...frame, flags: frame.flags | frameFlags.retransmit }));
  }

  #beyondAck(counts: (stretch: Stretch) => boolean): number {
    let seq = this.#firstKept;
    let frames = 0;
    for (const stretch of this.#kept) {
      if (counts(stretch)) frames += Math.max(0, seq + stretch.count - Math.max(seq, this.#acked));
      seq += stretch.count;
    }
    return frames;
  }

  #forgetBefore(seq: number): void {
    let covered = seq - this.#firstKept;
    while (covered > 0) {
      const stretch = this.#kept[0]!;
      const count = Math.min(covered, stretch.count);
      if (count > 0) this.#forget(stretch, count);
      covered -= count;
      if (stretch.count === 0 && stretch !== this.#last) this.#kept.shift();
    }
  }

  #number(sounds: SoundFrames, index: number, lost: boolean): void {
    const last = this.#last;
    const follows = last && this.#skipped === 0 && last.sounds === sounds && last.from + last.count === index;
    if (follows && last.lost === lost) last.count += 1;
    else this.#begin({ sounds, from: index, count: 1, skipped: this.#skipped, lost });
    this.#sent += 1;
    this.#keptBytes += sounds.bytesAFrame;
    this.#nextSample += this.#samplesOf(sounds);
  }

  #begin(stretch: Stretch): void {
    if (this.#last?.count === 0) this.#kept.pop();
    this.#kept.push(stretch);
    this.#last = stretch;
    this.#skipped = 0;
  }

  #forget(stretch: Stretch, count: number): void {
    this.#firstKept += count;
    this.#keptSample += stretch.skipped + count * this.#samplesOf(stretch.sounds);
    this.#keptBytes -= count * stretch.sounds.bytesAFrame;
    stretch.skipped = 0;
    stretch.from += count;
    stretch.count -= count;
  }

  #samplesOf({ bytesAFrame }: SoundFrames): number {
    return bytesAFrame / this.#bytesPerSample;
  }

  #frame(sounds: SoundFrames, index: number, seq: number, firstSample: number, flags: number): ChecksummedFrame {
    const { payload, crc32 } = sounds.at(index);
    return { codec: this.#codec, flags, epoch: 0, seq, firstSample, payload, crc32 };
  }
}

/** Sound that a client keeps though the server has it: some five minutes. */
const mostKeptBytes = 10_000_000;
