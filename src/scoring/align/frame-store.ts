import { historyFrames } from './viterbi.ts';

/**
 * The newest frames of one utterance, [frame][phone], so that a segment's features can be taken
 * when it is certain.
 */
export class FrameStore {
  readonly phones: number;
  /** Columns of the score head; 0 for models without one. */
  readonly logits: number;
  /** All rows: that of a frame begins at `posteriorAt`, `logitAt`. */
  readonly logPosterior: Float32Array;
  readonly scoreLogit: Float32Array;
  /** Entropy of each row; NaN until it is asked for: several segments share a frame. */
  readonly #entropy = new Float32Array(historyFrames);
  #count = 0;

  constructor(phones: number, logits: number) {
    this.phones = phones;
    this.logits = logits;
    this.logPosterior = new Float32Array(phones * historyFrames);
    this.scoreLogit = new Float32Array(logits * historyFrames);
  }

  add(logPosterior: Float32Array, scoreLogit: Float32Array | undefined, row: number): void {
    const slot = this.#count++ % historyFrames;
    const { phones, logits } = this;
    this.logPosterior.set(logPosterior.subarray(row * phones, (row + 1) * phones), slot * phones);
    this.#entropy[slot] = Number.NaN;
    if (scoreLogit) this.scoreLogit.set(scoreLogit.subarray(row * logits, (row + 1) * logits), slot * logits);
  }

  /**
   * First frame of [start, end) that is still held: a very long segment is judged by its newest
   * frames.
   */
  oldest(start: number): number {
    return Math.max(start, this.#count - historyFrames);
  }

  /** Where the frame's log-posteriors begin. */
  posteriorAt(frame: number): number {
    return (frame % historyFrames) * this.phones;
  }

  /** Where the frame's score logits begin. */
  logitAt(frame: number): number {
    return (frame % historyFrames) * this.logits;
  }

  /** Entropy of the frame's posteriors, nats. */
  entropy(frame: number): number {
    const slot = frame % historyFrames;
    if (Number.isNaN(this.#entropy[slot]!)) {
      const at = slot * this.phones;
      let total = 0;
      for (let k = at; k < at + this.phones; k++) {
        const value = this.logPosterior[k]!;
        total -= value * Math.exp(value);
      }
      this.#entropy[slot] = total;
    }
    return this.#entropy[slot]!;
  }
}
