import type { AudioFrame } from '../../protocol/frame.ts';
import { LatenessEstimate } from './late-frames.ts';
import { type SeqRange, SeqRanges } from './seq-ranges.ts';

/**
 * Puts a session's frames in order: each (epoch, seq) once, a missing one waited for up to an
 * adaptive limit, then given up as a gap. `nextSeq`, the checkpoint, only moves forward within an
 * epoch; a new epoch starts again at 0.
 */
export class JitterBuffer {
  readonly #options: JitterOptions;
  readonly #lateness: LatenessEstimate;
  readonly #held = new Map<number, { frame: AudioFrame; arrivedMs: number }>();
  readonly #givenUp = new SeqRanges<number>(rememberedGaps);
  /** Bytes of the frames that are held. */
  #heldBytes = 0;
  #ready: Released[] = [];
  #epoch = 0;
  #nextSeq = 0;
  #highest = -1;
  #expectedSample = 0;
  #missedAtMs = 0;

  constructor(options: JitterOptions) {
    this.#options = options;
    this.#lateness = new LatenessEstimate(options.minWaitMs, options.maxWaitMs);
    if (!options.from) return;
    this.#epoch = options.from.epoch;
    this.#nextSeq = options.from.seq;
    this.#highest = this.#nextSeq - 1;
    this.#expectedSample = options.from.sample;
  }

  /** Bytes of the frames that wait for one before them. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Whether frames wait for one before them. */
  get waits(): boolean {
    return this.#held.size > 0;
  }

  /**
   * Whether the frame goes on just where those before it ended, with nothing that waits: nearly all
   * do. It counts as added and released then, without having been anywhere.
   */
  passes(frame: AudioFrame, nowMs: number): boolean {
    if (frame.seq !== this.#nextSeq || frame.epoch !== this.#epoch || frame.firstSample !== this.#expectedSample) {
      return false;
    }
    if (this.#held.size > 0 || this.#ready.length > 0) return false;
    this.#highest = frame.seq;
    this.#nextSeq = frame.seq + 1;
    this.#missedAtMs = nowMs;
    this.#expectedSample = frame.firstSample + this.#options.samplesIn(frame);
    return true;
  }

  add(frame: AudioFrame, nowMs: number): AddOutcome {
    if (frame.epoch < this.#epoch) return 'duplicate';
    if (frame.epoch > this.#epoch) this.#startEpoch(frame.epoch, nowMs);
    if (frame.seq < this.#nextSeq) return this.#addBehind(frame.seq, nowMs);
    if (frame.seq === this.#nextSeq && this.#held.size === 0) return this.#addNext(frame, nowMs);
    if (this.#held.has(frame.seq)) return 'duplicate';
    if (frame.seq - this.#nextSeq >= this.#options.windowFrames) return 'far';
    const fillsHole = frame.seq < this.#highest;
    if (fillsHole) this.#lateness.observe(nowMs - this.#missedAtMs);
    else if (this.#held.size === 0) this.#missedAtMs = nowMs;
    this.#highest = Math.max(this.#highest, frame.seq);
    this.#held.set(frame.seq, { frame, arrivedMs: nowMs });
    this.#heldBytes += frame.payload.length;
    this.#drainInOrder(nowMs);
    if (!this.#held.has(frame.seq)) return 'accepted';
    this.#held.set(frame.seq, { frame: this.#options.keep?.(frame) ?? frame, arrivedMs: nowMs });
    return 'early';
  }

  /** What is in order by now, and gaps whose wait is over. */
  release(nowMs: number): Released[] {
    while (this.#held.size > 0 && nowMs - this.#missedAtMs >= this.#lateness.waitMs()) this.#giveUp(nowMs);
    return this.#take();
  }

  /** Everything held, whatever is missing before it: the client says that nothing more comes. */
  flush(nowMs: number): Released[] {
    while (this.#held.size > 0) this.#giveUp(nowMs);
    return this.#take();
  }

  /**
   * Everything held, and what is missing up to `lastSeq` as well, the client's last frame; `far`:
   * that lies more than a window ahead, and all stays as it is.
   */
  giveUpTo(lastSeq: number, nowMs: number): Released[] | 'far' {
    if (lastSeq - this.#nextSeq >= this.#options.windowFrames) return 'far';
    while (this.#held.size > 0) this.#giveUp(nowMs);
    const frames = lastSeq + 1 - this.#nextSeq;
    if (frames > 0) {
      this.#givenUp.add([this.#nextSeq, lastSeq], nowMs);
      this.#ready.push({ kind: 'gap', samples: 0, frames });
      this.#nextSeq = lastSeq + 1;
      this.#highest = lastSeq;
    }
    return this.#take();
  }

  /** The socket was away: what is missing could not come meanwhile, so its wait starts anew. */
  restartWaits(nowMs: number): void {
    this.#missedAtMs = nowMs;
  }

  /** Where what was released has ended. */
  place(): JitterPlace {
    return { epoch: this.#epoch, seq: this.#nextSeq, sample: this.#expectedSample };
  }

  checkpoint(): Checkpoint {
    return { epoch: this.#epoch, nextSeq: this.#nextSeq, missing: this.#missing() };
  }

  /** The frame that is expected, when none waits: nearly all are. */
  #addNext(frame: AudioFrame, nowMs: number): AddOutcome {
    this.#highest = frame.seq;
    this.#nextSeq += 1;
    this.#missedAtMs = nowMs;
    this.#makeReady(frame, nowMs);
    return 'accepted';
  }

  /** A frame behind the checkpoint: it was given up before it came, or it came before. */
  #addBehind(seq: number, nowMs: number): AddOutcome {
    const missedAtMs = this.#givenUp.take(seq);
    if (missedAtMs === undefined) return 'duplicate';
    this.#lateness.observe(nowMs - missedAtMs);
    return 'late';
  }

  #drainInOrder(nowMs: number): void {
    const before = this.#nextSeq;
    for (let next = this.#held.get(this.#nextSeq); next; next = this.#held.get(this.#nextSeq)) {
      this.#held.delete(this.#nextSeq);
      this.#heldBytes -= next.frame.payload.length;
      this.#nextSeq += 1;
      this.#makeReady(next.frame, next.arrivedMs);
    }
    // Another hole may lie behind the one just filled: it has its own wait.
    if (this.#nextSeq !== before) this.#missedAtMs = nowMs;
  }

  /** The frame is the next in order. */
  #makeReady(frame: AudioFrame, arrivedMs: number): void {
    const jump = frame.firstSample - this.#expectedSample;
    if (jump < 0) {
      this.#ready.push({ kind: 'rewind', frame, expectedSample: this.#expectedSample });
      return;
    }
    if (jump > 0) this.#ready.push({ kind: 'gap', samples: jump, frames: 0 });
    this.#ready.push({ kind: 'audio', frame, arrivedMs });
    this.#expectedSample = frame.firstSample + this.#options.samplesIn(frame);
  }

  #giveUp(nowMs: number): void {
    let first = Number.POSITIVE_INFINITY;
    for (const seq of this.#held.keys()) if (seq < first) first = seq;
    const frame = this.#held.get(first)!.frame;
    this.#givenUp.add([this.#nextSeq, first - 1], this.#missedAtMs);
    this.#ready.push({
      kind: 'gap',
      samples: Math.max(0, frame.firstSample - this.#expectedSample),
      frames: first - this.#nextSeq,
    });
    this.#expectedSample = Math.max(this.#expectedSample, frame.firstSample);
    this.#nextSeq = first;
    this.#drainInOrder(nowMs);
  }

  #startEpoch(epoch: number, nowMs: number): void {
    while (this.#held.size > 0) this.#giveUp(nowMs);
    this.#ready.push({ kind: 'epoch', epoch });
    this.#givenUp.clear();
    this.#epoch = epoch;
    this.#nextSeq = 0;
    this.#highest = -1;
    this.#expectedSample = 0;
  }

  #missing(): SeqRange[] {
    const ranges: SeqRange[] = [];
    let from = this.#nextSeq;
    for (const seq of [...this.#held.keys()].sort((a, b) => a - b)) {
      if (seq > from) ranges.push([from, seq - 1]);
      from = seq + 1;
    }
    return ranges;
  }

  #take(): Released[] {
    const taken = this.#ready;
    if (taken.length > 0) this.#ready = [];
    return taken;
  }
}

/**
 * `early`: held, since one before it is missing; `late`: given up before it came; `far`: more than
 * a window ahead of what was received.
 */
export type AddOutcome = 'accepted' | 'early' | 'duplicate' | 'late' | 'far';

export type Released =
  | { kind: 'audio'; frame: AudioFrame; arrivedMs: number }
  /**
   * `samples` of the client's clock that never came; 0 when frames were missing but the clock did
   * not move.
   */
  | { kind: 'gap'; samples: number; frames: number }
  /** The client's clock starts again at 0. */
  | { kind: 'epoch'; epoch: number }
  /** The frame's first sample lies before the end of the frame ahead of it. */
  | { kind: 'rewind'; frame: AudioFrame; expectedSample: number };

/** The next seq not seen, and what is missing between it and the newest seen. */
export type Checkpoint = { epoch: number; nextSeq: number; missing: readonly SeqRange[] };

/** The number of the next frame, and the sample that it is due at. */
export type JitterPlace = { epoch: number; seq: number; sample: number };

export type JitterOptions = {
  /** Where it begins; absent: at the first frame. */
  from?: JitterPlace | undefined;
  minWaitMs: number;
  maxWaitMs: number;
  /** Frames held or missing beyond the checkpoint. */
  windowFrames: number;
  samplesIn(frame: AudioFrame): number;
  /**
   * The frame as it is held beyond the call that brought it; others are released before the next
   * `add`.
   */
  keep?(frame: AudioFrame): AudioFrame;
};

/** Given-up gaps whose late frames can still be told from duplicates. */
const rememberedGaps = 32;
