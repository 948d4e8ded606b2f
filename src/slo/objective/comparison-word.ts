/** What the interval of a change says beside the margin of what matters. */
export type ComparisonWord = (typeof comparisonWords)[number];

/** The four words of every comparison. */
const comparisonWords = ['better', 'worse', 'same', 'undecided'] as const;

/**
 * Judges the interval of a change, of which `harm` is the direction that hurts. It is `worse` or
 * `better` when all of it lies beyond the margin on one side, and `same` when all of it lies within
 * the margin (equivalence by interval inclusion, Westlake 1972); every other interval reaches over
 * an end of the margin, so that the data leave it `undecided`.
 */
export function comparisonWord(
  { lower, upper }: { lower: number; upper: number },
  margin: number,
  harm: 'rise' | 'fall',
): ComparisonWord {
  if (lower > margin) return harm === 'rise' ? 'worse' : 'better';
  if (upper < -margin) return harm === 'rise' ? 'better' : 'worse';
  return lower >= -margin && upper <= margin ? 'same' : 'undecided';
}

/**
 * About how many times the observations would narrow an undecided interval until the margin holds
 * it wherever it then lies around no change: widths shrink with the root of the number. Infinity
 * where nothing bounds the interval.
 */
export function timesToDecide({ lower, upper }: { lower: number; upper: number }, margin: number): number {
  return margin > 0 ? ((upper - lower) / (2 * margin)) ** 2 : Number.POSITIVE_INFINITY;
}
