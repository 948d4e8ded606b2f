/**
 * The fewest words that have to be put in, left out or changed to make one text of another
 * (Levenshtein 1966), over words that are compared as they are. Time and memory grow with the
 * product and the shorter of both; texts beyond `mostWords` are compared up to there.
 */
export function wordEdits(one: readonly string[], other: readonly string[]): number {
  const [long, short] = [one, other].map((words) => words.slice(0, mostWords)).sort((a, b) => b.length - a.length) as [
    string[],
    string[],
  ];
  let before = Array.from({ length: short.length + 1 }, (_, at) => at);
  for (const [row, word] of long.entries()) {
    const now = [row + 1];
    for (const [column, candidate] of short.entries()) {
      const changed = before[column]! + (word === candidate ? 0 : 1);
      now.push(Math.min(changed, before[column + 1]! + 1, now[column]! + 1));
    }
    before = now;
  }
  return before[short.length]!;
}

/** More than anybody says in one utterance; a backend may write anything. */
const mostWords = 400;
