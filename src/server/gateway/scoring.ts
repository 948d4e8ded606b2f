import { resolveReference } from '../../scoring/text/reference.ts';
import type { ScoringThreads } from '../../scoring/threads/pool.ts';
import type { Scoring } from '../session/context.ts';

/** The scoring that `speechfb score` runs too, on its threads. */
export function liveScoring({ openUtterance, stats, tidy }: ScoringThreads): Scoring {
  return { readReference: resolveReference, openUtterance, stats, tidy };
}
