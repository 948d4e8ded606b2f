/** First and last seq, both inside. */
export type SeqRange = [first: number, last: number];

/** The newest few ranges of seqs, each with a value; the oldest falls out first. */
export class SeqRanges<Value> {
  readonly #capacity: number;
  #entries: { range: SeqRange; value: Value }[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(range: SeqRange, value: Value): void {
    this.#push(range, value);
  }

  /** The value of the range that holds `seq`, which leaves it; undefined when none does. */
  take(seq: number): Value | undefined {
    const found = this.#entries.find(({ range }) => seq >= range[0] && seq <= range[1]);
    if (!found) return undefined;
    const { range, value } = found;
    const rest: SeqRange[] = [
      [range[0], seq - 1],
      [seq + 1, range[1]],
    ];
    this.#entries = this.#entries.filter((entry) => entry !== found);
    for (const part of rest) if (part[0] <= part[1]) this.#push(part, value);
    return value;
  }

  clear(): void {
    this.#entries = [];
  }

  /** Parts of a range count as ranges, too: a seq here and there would make them without end. */
  #push(range: SeqRange, value: Value): void {
    this.#entries.push({ range, value });
    if (this.#entries.length > this.#capacity) this.#entries.shift();
  }
}
