import { historyFrames } from './viterbi.ts';

/** The newest frames of one utterance, [frame][phone], so that a segment's features can be taken when it is certain. */
export class FrameStore {
  readonly phones: number;
  /** Columns of the score head; 0 for models without one. */
  readonly logits: number;
  readonly #logPosterior: Float32Array;
  readonly #scoreLogit: Float32Array;
  #count = 0;

  constructor(phones: number, logits: number) {
    this.phones = phones;
    this.logits = logits;
    this.#logPosterior = new Float32Array(phones * historyFrames);
    this.#scoreLogit = new Float32Array(logits * historyFrames);
  }

  add(logPosterior: Float32Array, scoreLogit: Float32Array | undefined, row: number): void {
    const slot = this.#count++ % historyFrames;
    const { phones, logits } = this;
    this.#logPosterior.set(logPosterior.subarray(row * phones, (row + 1) * phones), slot * phones);
    if (scoreLogit) this.#scoreLogit.set(scoreLogit.subarray(row * logits, (row + 1) * logits), slot * logits);
  }

  /** First frame of [start, end) that is still held: a very long segment is judged by its newest frames. */
  oldest(start: number): number {
    return Math.max(start, this.#count - historyFrames);
  }

  /** The frame's log-posteriors; a view that later frames overwrite. */
  logPosterior(frame: number): Float32Array {
    const slot = frame % historyFrames;
    return this.#logPosterior.subarray(slot * this.phones, (slot + 1) * this.phones);
  }

  /** The frame's score logits; empty for models without a score head. */
  scoreLogit(frame: number): Float32Array {
    const slot = frame % historyFrames;
    return this.#scoreLogit.subarray(slot * this.logits, (slot + 1) * this.logits);
  }
}
