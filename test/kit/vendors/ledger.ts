/**
 * What phones felt of a vendor, in the vendor's own books, with no code of the program that is tested. A phone speaks on an
 * absolute schedule: each place in an utterance was due at the utterance's phase, the earliest that any of its sound allows,
 * plus the place. Sound that came later than that was late already when it was sent.
 */
export class Ledger {
  readonly #utterances: UtteranceEntry[] = [];

  /** A new utterance of some phone. */
  utterance(): UtteranceEntry {
    const entry = new UtteranceEntry();
    this.#utterances.push(entry);
    return entry;
  }

  get utterances(): readonly UtteranceEntry[] {
    return this.#utterances;
  }

  /** From the due time of each word's end to the first answer that showed it, ms; infinite: none did. */
  wordLatenciesMs(): number[] {
    return this.#utterances.flatMap((entry) => entry.wordLatenciesMs('shown'));
  }

  /** The same to the first final answer that has it. */
  wordFinalLatenciesMs(): number[] {
    return this.#utterances.flatMap((entry) => entry.wordLatenciesMs('final'));
  }

  /** From the due time of each frame's end to the first answer that reaches there, ms; infinite: none did. */
  feedbackLatenciesMs(frameMs: number): number[] {
    return this.#utterances.flatMap((entry) => entry.feedbackLatenciesMs(frameMs));
  }
}

/** One utterance of one phone: its sound as it came, its words, and the answers as they left. Places count from its start. */
export class UtteranceEntry {
  #phaseMs = Number.POSITIVE_INFINITY;
  #heardMs = 0;
  readonly #words: { endMs: number; shownAtMs: number; finalAtMs: number }[] = [];
  readonly #answers: { coversMs: number; leftAtMs: number }[] = [];

  /** Sound up to `endMs` came at `atMs`. */
  sound(endMs: number, atMs: number): void {
    this.#heardMs = endMs;
    this.#phaseMs = Math.min(this.#phaseMs, atMs - endMs);
  }

  /** A word that the script has, whether it will be shown or not. */
  word(endMs: number): void {
    this.#words.push({ endMs, shownAtMs: never, finalAtMs: never });
  }

  /** An answer left that reaches to `coversMs` and shows the first `words` words. */
  answered(answer: { coversMs: number; words: number; isFinal: boolean }, leftAtMs: number): void {
    this.#answers.push({ coversMs: answer.coversMs, leftAtMs });
    for (const word of this.#words.slice(0, answer.words)) {
      word.shownAtMs = Math.min(word.shownAtMs, leftAtMs);
      if (answer.isFinal) word.finalAtMs = Math.min(word.finalAtMs, leftAtMs);
    }
  }

  wordLatenciesMs(what: 'shown' | 'final'): number[] {
    return this.#words
      .filter(({ endMs }) => endMs <= this.#heardMs)
      .map(({ endMs, shownAtMs, finalAtMs }) => (what === 'shown' ? shownAtMs : finalAtMs) - this.#phaseMs - endMs);
  }

  feedbackLatenciesMs(frameMs: number): number[] {
    const latencies: number[] = [];
    for (let endMs = frameMs; endMs <= this.#heardMs; endMs += frameMs) {
      const answer = this.#answers.find(({ coversMs }) => coversMs >= endMs);
      latencies.push((answer?.leftAtMs ?? never) - this.#phaseMs - endMs);
    }
    return latencies;
  }
}

const never = Number.POSITIVE_INFINITY;

/** The smallest value that a share `p` of all does not exceed. */
export function percentileOf(values: readonly number[], p: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? Number.NaN;
}
