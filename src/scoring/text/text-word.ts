/**
 * One word to be read: `shown` as the caller wrote it, `spoken` in lower case as the dictionary
 * writes it. Where a text may be read in several ways, `spoken` may be several words, and `others`
 * are the readings that compete with it.
 */
export type TextWord = { shown: string; spoken: string; others?: readonly string[] };

/** Readings of one token, the commonest first, each in words with single spaces. */
export type Reading = { readings: readonly string[] };

/**
 * The words of a token that may be read in several ways. What all readings begin and end with are
 * words of their own; what differs is one word, with the first reading as its text and the others
 * beside it.
 */
export function competing({ readings }: Reading): TextWord[] {
  const split = [...new Set(readings)].map((reading) => reading.split(' '));
  const first = split[0]!;
  if (split.length === 1) return first.map(plainWord);
  const shortest = Math.min(...split.map((words) => words.length));
  const alike = (pick: (words: readonly string[]) => string | undefined) =>
    split.every((words) => pick(words) === pick(first));
  let head = 0;
  while (head < shortest - 1 && alike((words) => words[head])) head++;
  let tail = 0;
  while (tail < shortest - 1 - head && alike((words) => words.at(-1 - tail))) tail++;
  const middles = split.map((words) => words.slice(head, words.length - tail).join(' '));
  const middle = { shown: middles[0]!, spoken: middles[0]!, others: middles.slice(1) };
  return [...first.slice(0, head).map(plainWord), middle, ...first.slice(first.length - tail).map(plainWord)];
}

function plainWord(word: string): TextWord {
  return { shown: word, spoken: word };
}
