/** A stretch of frames [start, end) in which a phone was heard. */
export type HeardPhone = {
  /** Column of the model's posteriors. */
  column: number;
  start: number;
  end: number;
  /** Geometric mean of its posteriors, 0-1. */
  belief: number;
};

/**
 * What the model hears when it is not told the text: the likeliest course through all phones
 * (Viterbi over a phone loop), where beginning a phone has a price. Some 0.1 us a frame, and 16
 * bytes: every phone that begins in a frame follows the same one, so that the course back from any
 * of them is one entry a frame, found by where a phone began.
 */
export class FreeHearing {
  readonly #silence: number;
  readonly #score: Float64Array;
  /**
   * Where each phone began in the likeliest path that ends in it now; `#sum` holds its
   * log-posteriors since then.
   */
  readonly #start: Int32Array;
  readonly #sum: Float64Array;
  /** What ended before each frame: the column of the phone, where it began, its `#sum`. */
  #leftColumn = new Int32Array(firstFrames);
  #leftStart = new Int32Array(firstFrames);
  #leftSum = new Float64Array(firstFrames);
  #frames = 0;
  #best = 0;

  /** @param phones How many the model has, silence among them; `silence` is its column. */
  constructor(phones: number, silence: number) {
    this.#silence = silence;
    this.#score = new Float64Array(phones);
    this.#start = new Int32Array(phones);
    this.#sum = new Float64Array(phones);
  }

  /** One frame: a log-posterior for each phone, from `offset` on. */
  add(logPosterior: Float32Array, offset: number): void {
    const score = this.#score;
    const start = this.#start;
    const sum = this.#sum;
    const frame = this.#frames;
    const previous = this.#best;
    const entry = score[previous]! - begun;
    this.#leave(frame, previous);
    let best = 0;
    let highest = -Infinity;
    for (let k = 0; k < score.length; k++) {
      const heard = logPosterior[offset + k]!;
      const value = heard < floor ? floor : heard;
      let total = score[k]!;
      let since = sum[k]!;
      if (entry > total) {
        total = entry;
        since = 0;
        start[k] = frame;
      }
      total += value;
      score[k] = total;
      sum[k] = since + value;
      if (total > highest) {
        highest = total;
        best = k;
      }
    }
    this.#best = best;
    this.#frames = frame + 1;
  }

  /** A frame whose sound was lost. */
  skip(): void {
    this.#frames++;
  }

  /** The phones heard so far, silences left out. */
  phones(): HeardPhone[] {
    const found: HeardPhone[] = [];
    if (this.#frames === 0) return found;
    this.#leave(this.#frames, this.#best);
    // What began with the first frame has nothing before it.
    for (let end = this.#frames; end > 0; end = this.#leftStart[end]!) {
      const [column, start] = [this.#leftColumn[end]!, this.#leftStart[end]!];
      const belief = Math.exp(this.#leftSum[end]! / Math.max(1, end - start));
      if (column !== this.#silence) found.push({ column, start, end, belief });
    }
    return found.reverse();
  }

  /** Notes the phone in `column` as the one that ended before `frame`. */
  #leave(frame: number, column: number): void {
    if (frame >= this.#leftStart.length) this.#grow(frame);
    this.#leftColumn[frame] = column;
    this.#leftStart[frame] = this.#start[column]!;
    this.#leftSum[frame] = this.#sum[column]!;
  }

  #grow(frame: number): void {
    const length = 2 ** Math.ceil(Math.log2(frame + 1));
    const [columns, starts, sums] = [this.#leftColumn, this.#leftStart, this.#leftSum];
    this.#leftColumn = new Int32Array(length);
    this.#leftColumn.set(columns);
    this.#leftStart = new Int32Array(length);
    this.#leftStart.set(starts);
    this.#leftSum = new Float64Array(length);
    this.#leftSum.set(sums);
  }
}

/** Five seconds. */
const firstFrames = 256;
/**
 * What beginning a phone costs, nats: without it neighbours such as D and DH take turns frame by
 * frame.
 */
const begun = 4;
/** One odd frame must not end a phone. */
const floor = -10;
