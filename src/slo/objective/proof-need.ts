import { samplesToProve } from '../../stats/sample-size.ts';
import type { Objective } from './expression.ts';
import { confidence, leastForMean, missShareOf } from './judging.ts';

/**
 * The fewest samples that prove an objective; undefined where nothing is inferred: it is judged as
 * counted.
 */
export type SamplesNeeded = (objective: Objective) => number | undefined;

/**
 * The fewest samples, none of them a miss, with which the verdict takes an objective for proven.
 */
export const samplesNeeded: SamplesNeeded = (objective) => {
  const missShare = missShareOf(objective);
  if (missShare !== undefined) return samplesToProve(missShare, 0, confidence);
  return objective.aggregation === 'mean' ? leastForMean : undefined;
};
