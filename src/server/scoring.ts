import { resolveReference } from '../scoring/reference.ts';
import type { ScoringThreads } from '../scoring/scoring-threads.ts';
import type { Scoring } from './context.ts';

/** The scoring that `speechfb score` runs too, on its threads. */
export function liveScoring({ openUtterance, stats, tidy }: ScoringThreads): Scoring {
  return { readReference: resolveReference, openUtterance, stats, tidy };
}
