import type { DeclaredDistribution } from './distribution.ts';

/** How a stage's number is meant; the file says which. */
export const interpretations = [
  /** The stage's share of the total's percentile, E[stage | total = q]: shares sum to the total. */
  'contribution',
  /** The stage's own percentile. Such numbers do not add up to the total's. */
  'stage-percentile',
  /** So rarely exceeded that the sum holds whatever the dependence (union bound). */
  'guaranteed',
] as const;
type Interpretation = (typeof interpretations)[number];

/** A latency budget: stages and reserve sum to the objective. All times in ms. */
export type Budget = {
  name: string;
  /** What the total means, for people: from which moment to which. */
  measure: { from: string; to: string } | undefined;
  objective: { percentile: number; op: 'lte' | 'lt'; valueMs: number };
  interpretation: Interpretation;
  stages: readonly BudgetStage[];
  reserveMs: number;
  /** Trace stages that are counted as unattributed on purpose. */
  unattributed: readonly string[];
  /** Rank correlation of declared distributions: one for every pair, or one for each pair named. */
  correlation: number | readonly { between: readonly [string, string]; value: number }[];
  gate: Gate;
  whatIf: readonly WhatIf[];
  samples: number;
  replicates: number;
  seed: number;
};

export type BudgetStage = {
  name: string;
  budgetMs: number;
  /** The trace stages that it sums. */
  of: readonly string[];
  distribution: DeclaredDistribution | undefined;
};

export type Gate = {
  confidence: number;
  minSamples: number;
  /**
   * What an interval that straddles the limit does to the exit code: `invalid` 98, `fail` 99,
   * `warn` 0.
   */
  onInvalid: 'invalid' | 'fail' | 'warn';
  /** Whether a stage over its own budget fails the whole, or is only reported. */
  stages: 'report' | 'enforce';
};

export type WhatIf = { name: string; changes: readonly Change[] };

/** One change of a stage's time in every trace. */
export type Change =
  | { stage: string; kind: 'shift'; byMs: number }
  | { stage: string; kind: 'scale'; factor: number }
  | { stage: string; kind: 'cap'; atMs: number }
  | { stage: string; kind: 'remove' };
