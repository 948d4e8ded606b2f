import type { ComparedMetric } from '../../slo/objective/compare.ts';
import type { ComparisonWord } from '../../slo/objective/comparison-word.ts';

/** Two load tests side by side, as text and JSON show them. */
export type Comparison = {
  baseline: { name: string; runs: number };
  candidate: { name: string; runs: number };
  /** Why nothing is proven, such as a generator that could not keep its schedule. */
  doubts: readonly string[];
  /** What a reader should know, such as other schedules. */
  notes: readonly string[];
  metrics: readonly ComparedMetric[];
  /**
   * The metrics that the runs' objectives read (all, without objectives) that are undecided or not
   * compared.
   */
  undecided: readonly string[];
  /** Whether one of these outweighs what got better elsewhere. */
  strict: boolean;
  verdict: ComparisonWord | 'invalid';
};

/**
 * One word for all metrics. A regression of any is not made good by a gain elsewhere. A gain counts
 * although an objective's metric is undecided, unless the comparison is strict.
 */
export function comparisonVerdict({
  doubts,
  metrics,
  undecided,
  strict,
}: Pick<Comparison, 'doubts' | 'metrics' | 'undecided' | 'strict'>): Comparison['verdict'] {
  if (doubts.length > 0) return 'invalid';
  const says = (word: ComparisonWord) => metrics.some(({ verdict }) => verdict === word);
  if (says('worse')) return 'worse';
  if (says('better') && !(strict && undecided.length > 0)) return 'better';
  return undecided.length > 0 ? 'undecided' : 'same';
}
