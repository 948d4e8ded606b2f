import { betaQuantile } from './distributions.ts';

/**
 * The largest share of misses that is still plausible, with one-sided `confidence`, after `misses`
 * of `samples`; `shareLower` is the smallest (Clopper and Pearson 1934, through the quantiles of
 * the beta distribution). Neither count has to be whole: samples that depend on each other are
 * worth fewer. 1 where all missed.
 */
export function shareUpper(misses: number, samples: number, confidence: number): number {
  return misses >= samples ? 1 : betaQuantile(confidence, misses + 1, samples - misses);
}

/** See `shareUpper`; 0 without a miss. */
export function shareLower(misses: number, samples: number, confidence: number): number {
  return misses <= 0 ? 0 : betaQuantile(1 - confidence, misses, samples - misses + 1);
}
