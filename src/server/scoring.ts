import { openUtterance } from '../scoring/pipeline.ts';
import { resolveReference } from '../scoring/reference.ts';
import type { Scoring } from './context.ts';

/** The scoring that `speechfb score` runs too. */
export const liveScoring: Scoring = { readReference: resolveReference, openUtterance };
