/**
 * Sound as it was given to a backend: 16-bit samples, and where on the session's clock they begin.
 */
export type SpokenPiece = { pcm: Int16Array; startMs: number };

/**
 * The sound of an utterance, kept until it has its final text, so that another backend can hear it
 * from its beginning. Beyond `mostMs` the oldest goes.
 */
export class SpokenSound {
  readonly #mostSamples: number;
  #pieces: SpokenPiece[] = [];
  #samples = 0;
  #isWhole = true;

  constructor(mostMs: number, sampleRateHz: number) {
    this.#mostSamples = (mostMs / 1000) * sampleRateHz;
  }

  /** Whether nothing has gone. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  add(piece: SpokenPiece): void {
    this.#pieces.push(piece);
    this.#samples += piece.pcm.length;
    if (this.#samples > this.#mostSamples) this.#shorten();
  }

  pieces(): readonly SpokenPiece[] {
    return this.#pieces;
  }

  clear(): void {
    this.#pieces = [];
    this.#samples = 0;
  }

  /** Lets a quarter go at once, so that this is done seldom. */
  #shorten(): void {
    this.#isWhole = false;
    let at = 0;
    while (this.#samples > this.#mostSamples * keptShare) this.#samples -= this.#pieces[at++]!.pcm.length;
    this.#pieces = this.#pieces.slice(at);
  }
}

const keptShare = 0.75;
