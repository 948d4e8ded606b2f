import { binomialCdf } from '../../stats/distributions.ts';
import type { Objective } from './expression.ts';
import { confidence, counted, type Facts, noData, sampled } from './judging.ts';
import type { ObjectiveVerdict } from './objective-verdict.ts';

/** How the share of misses reads as the objective's value, and how large it may be. */
export type ShareReading = { value: (badShare: number) => number; missShare: number };

export function judgeShare(
  objective: Objective,
  misses: number,
  samples: number,
  reading: ShareReading,
): ObjectiveVerdict {
  if (samples === 0) return noData(objective, 'share');
  const facts: Facts = { unit: 'share', value: reading.value(misses / samples), samples, misses };
  if (reading.missShare === 0) return counted(objective, facts);
  const confidenceBound = reading.value(badShareBound(misses, samples));
  return sampled(objective, { ...facts, confidenceBound, missShare: reading.missShare });
}

/** Clopper-Pearson one-sided: the largest share of misses that is still plausible after `misses` of `samples`. */
function badShareBound(misses: number, samples: number): number {
  let low = misses / samples;
  let high = 1;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (binomialCdf(misses, samples, middle) > 1 - confidence) low = middle;
    else high = middle;
  }
  return high;
}
