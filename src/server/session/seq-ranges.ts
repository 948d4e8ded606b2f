/** First and last seq, both inside. */
export type SeqRange = [first: number, last: number];

/** The newest few ranges of seqs, each with a value; the oldest falls out first. */
export type SeqRanges<Value> = {
  add(range: SeqRange, value: Value): void;
  /** The value of the range that holds `seq`, which leaves it; undefined when none does. */
  take(seq: number): Value | undefined;
  clear(): void;
};

export function createSeqRanges<Value>(capacity: number): SeqRanges<Value> {
  let entries: { range: SeqRange; value: Value }[] = [];
  return {
    add(range, value) {
      entries.push({ range, value });
      if (entries.length > capacity) entries.shift();
    },
    take(seq) {
      const found = entries.find(({ range }) => seq >= range[0] && seq <= range[1]);
      if (!found) return undefined;
      const { range, value } = found;
      const rest: SeqRange[] = [
        [range[0], seq - 1],
        [seq + 1, range[1]],
      ];
      entries = entries.filter((entry) => entry !== found);
      for (const part of rest) if (part[0] <= part[1]) entries.push({ range: part, value });
      return value;
    },
    clear() {
      entries = [];
    },
  };
}
