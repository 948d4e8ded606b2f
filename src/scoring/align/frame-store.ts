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

  /** The next frame is row `row` of the model's output. */
  add(logPosterior: Float32Array, scoreLogit: Float32Array | undefined, row: number): void {
    const slot = this.#count++ % historyFrames;
    copyRow(logPosterior, row, this.logPosterior, slot, this.phones);
    this.#entropy[slot] = Number.NaN;
    if (scoreLogit) copyRow(scoreLogit, row, this.scoreLogit, slot, this.logits);
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
      const posteriors = this.logPosterior;
      const end = (slot + 1) * this.phones;
      let total = 0;
      for (let k = slot * this.phones; k < end; k++) {
        const value = posteriors[k]!;
        total -= value * Math.exp(value);
      }
      this.#entropy[slot] = total;
    }
    return this.#entropy[slot]!;
  }
}

/** In a loop: a view and `set` take five times as long for some dozens of numbers. */
function copyRow(from: Float32Array, row: number, to: Float32Array, slot: number, width: number): void {
  let at = slot * width;
  const end = (row + 1) * width;
  for (let i = row * width; i < end; i++) to[at++] = from[i]!;
}
