import type { AcousticFrames, Samples } from '../engine/types.ts';
import { KeptSound, type SoundBlocks } from './kept-sound.ts';
import type { WorkerInbox } from './worker-inbox.ts';

/**
 * A stream of the worker engine as the caller's thread sees it: it outlives the worker that hears
 * it.
 */
export class WorkerStream {
  readonly onError: (error: Error) => void;
  /** Set when the stream was ended. */
  settle: { resolve(): void; reject(error: Error): void } | undefined;
  readonly #id: number;
  #canWait: boolean;
  readonly #onFrames: (frames: AcousticFrames) => void;
  readonly #kept: KeptSound;
  /** The frame that the worker counts as 0. */
  #baseFrame = 0;
  #nextFrame = 0;
  /** Moved to a worker that has given nothing for it yet. */
  #isUnheard = false;

  constructor(id: number, { blocks, onFrames, onError, canWait }: WorkerStreamOptions) {
    this.#id = id;
    this.#canWait = canWait;
    this.#onFrames = onFrames;
    this.onError = onError;
    this.#kept = new KeptSound(blocks);
  }

  push(pcm: Samples, inbox: WorkerInbox): void {
    this.#kept.push(pcm);
    inbox.push(this.#id, pcm);
  }

  /** See `AcousticStream.giveWay`; it does so at the next worker too. */
  giveWay(inbox: WorkerInbox): void {
    if (this.#canWait) return;
    this.#canWait = true;
    inbox.gaveWay(this.#id);
  }

  /** The stream is over. */
  release(): void {
    this.#kept.release();
  }

  /** Frames as the worker counts them: what was delivered before the worker died is left out. */
  take(frames: AcousticFrames): void {
    this.#isUnheard = false;
    const firstFrame = this.#baseFrame + frames.firstFrame;
    const known = this.#nextFrame - firstFrame;
    if (known >= frames.count) return;
    this.#nextFrame = firstFrame + frames.count;
    this.#kept.answered(this.#nextFrame);
    this.#onFrames({
      ...(known > 0 ? withoutFirst(frames, known) : frames),
      firstFrame: firstFrame + Math.max(0, known),
    });
  }

  /**
   * Goes on with the worker behind `inbox`; false when the one before died without a word for it,
   * for then its sound may be what kills them.
   */
  move(inbox: WorkerInbox): boolean {
    if (this.#isUnheard) return false;
    this.#isUnheard = true;
    const { pcm, firstFrame } = this.#kept.replay();
    this.#baseFrame = firstFrame;
    inbox.opened(this.#id, this.#canWait);
    if (pcm.length > 0) inbox.push(this.#id, pcm);
    if (this.settle) inbox.ended(this.#id);
    return true;
  }
}

type WorkerStreamOptions = {
  blocks: SoundBlocks;
  onFrames(frames: AcousticFrames): void;
  onError(error: Error): void;
  canWait: boolean;
};

function withoutFirst(frames: AcousticFrames, rows: number): AcousticFrames {
  const rest = (values: Float32Array) => values.subarray((values.length / frames.count) * rows);
  return {
    ...frames,
    count: frames.count - rows,
    logPosterior: rest(frames.logPosterior),
    scoreLogit: frames.scoreLogit && rest(frames.scoreLogit),
  };
}
