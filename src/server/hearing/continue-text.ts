/**
 * A text that goes on where another writer left off: what that one had settled, and behind it the
 * words of the new text that say more. Both hear the same sound from its beginning, so that the new
 * text begins with about the same words: of all its beginnings the one is left out that is nearest
 * to the settled words (edit distance in words, without case and punctuation).
 *
 * @param settled words that can no longer change
 */
export function continueText(settled: readonly string[], words: readonly string[]): string[] {
  return [...settled, ...words.slice(sharedWords(settled, words))];
}

/** How many words of `words`, from its beginning, stand for the settled ones. */
export function sharedWords(settled: readonly string[], words: readonly string[]): number {
  if (settled.length === 0) return 0;
  const known = settled.map(bare);
  let before = known.map((_, at) => at + 1);
  let nearest = { count: 0, distance: known.length };
  for (const [at, word] of words.entries()) {
    const plain = bare(word);
    const row: number[] = [];
    for (const [place, one] of known.entries()) {
      const diagonal = place === 0 ? at : before[place - 1]!;
      const left = place === 0 ? at + 1 : row[place - 1]!;
      row.push(Math.min(diagonal + (one === plain ? 0 : 1), before[place]! + 1, left + 1));
    }
    before = row;
    const distance = row.at(-1)!;
    // Of several the longest: to repeat a word is worse than to write it otherwise.
    if (distance <= nearest.distance) nearest = { count: at + 1, distance };
  }
  return nearest.count;
}

/** The words of a text. */
export function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

function bare(word: string): string {
  return word.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}
