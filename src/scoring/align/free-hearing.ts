/** A stretch of frames [start, end) in which a phone was heard. */
export type HeardPhone = {
  /** Column of the model's posteriors. */
  column: number;
  start: number;
  end: number;
  /** Geometric mean of its posteriors, 0-1. */
  belief: number;
};

/** The phones of the likeliest course so far, newest first. */
type Trail = HeardPhone & { before: Trail | undefined };

/**
 * What the model hears when it is not told the text: the likeliest course through all phones
 * (Viterbi over a phone loop), where beginning a phone has a price. Some 0.1 us a frame.
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
  readonly #trail: (Trail | undefined)[];
  #frames = 0;
  #best = 0;

  /** @param phones How many the model has, silence among them; `silence` is its column. */
  constructor(phones: number, silence: number) {
    this.#silence = silence;
    this.#score = new Float64Array(phones);
    this.#start = new Int32Array(phones);
    this.#sum = new Float64Array(phones);
    this.#trail = new Array(phones).fill(undefined);
  }

  /** One frame: a log-posterior for each phone, from `offset` on. */
  add(logPosterior: Float32Array, offset: number): void {
    const score = this.#score;
    const previous = this.#best;
    const entry = score[previous]! - begun;
    const sum = this.#sum[previous]!;
    let trail: Trail | undefined;
    let best = 0;
    for (let k = 0; k < score.length; k++) {
      if (entry > score[k]!) {
        trail ??= this.#leave(previous, sum);
        score[k] = entry;
        this.#start[k] = this.#frames;
        this.#sum[k] = 0;
        this.#trail[k] = trail;
      }
      const value = Math.max(floor, logPosterior[offset + k]!);
      score[k]! += value;
      this.#sum[k]! += value;
      if (score[k]! > score[best]!) best = k;
    }
    this.#best = best;
    this.#frames++;
  }

  /** A frame whose sound was lost. */
  skip(): void {
    this.#frames++;
  }

  /** The phones heard so far, silences left out. */
  phones(): HeardPhone[] {
    const found: HeardPhone[] = [];
    if (this.#frames === 0) return found;
    for (let at: Trail | undefined = this.#leave(this.#best, this.#sum[this.#best]!); at; at = at.before) {
      const { before: _, ...phone } = at;
      if (phone.column !== this.#silence) found.push(phone);
    }
    return found.reverse();
  }

  /**
   * The course that is in `column`, whose log-posteriors add up to `sum`, as if the phone ended
   * before this frame.
   */
  #leave(column: number, sum: number): Trail {
    const start = this.#start[column]!;
    const belief = Math.exp(sum / Math.max(1, this.#frames - start));
    return { column, start, end: this.#frames, belief, before: this.#trail[column] };
  }
}

/**
 * What beginning a phone costs, nats: without it neighbours such as D and DH take turns frame by
 * frame.
 */
const begun = 4;
/** One odd frame must not end a phone. */
const floor = -10;
