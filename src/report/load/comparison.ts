import type { ComparedMetric } from '../../slo/objective/compare.ts';

/** Two load tests side by side, as text and JSON show them. */
export type Comparison = {
  baseline: { name: string; runs: number };
  candidate: { name: string; runs: number };
  /** Why nothing is proven, such as a generator that could not keep its schedule. */
  doubts: readonly string[];
  /** What a reader should know, such as other schedules. */
  notes: readonly string[];
  metrics: readonly ComparedMetric[];
  verdict: 'better' | 'worse' | 'no difference' | 'invalid';
};
