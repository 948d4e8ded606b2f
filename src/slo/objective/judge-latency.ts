import { type Distribution, quantile } from '../../metrics/definitions.ts';
import { normalQuantile } from '../../stats/distributions.ts';
import { upperRank } from '../../stats/order-statistics.ts';
import type { Objective } from './expression.ts';
import { confidence, counted, holds, moreSamples, noData, provenReason, sampled, verdictOf } from './judging.ts';
import type { ObjectiveVerdict } from './objective-verdict.ts';

export function judgeQuantile(
  objective: Objective & { reading: 'quantile' },
  distribution: Distribution,
): ObjectiveVerdict {
  const value = quantile(distribution, objective.p);
  if (value === undefined) return noData(objective, 'ms');
  const { samples } = distribution;
  const misses = samples - ranksWithin(distribution, (sample) => holds(objective, sample));
  const rank = upperRank(samples, objective.p, confidence);
  const confidenceBound = rank === undefined ? undefined : distribution.valueAtRank(rank);
  return sampled(objective, { unit: 'ms', value, samples, misses, confidenceBound, missShare: 1 - objective.p });
}

export function judgeMax(objective: Objective, distribution: Distribution): ObjectiveVerdict {
  const { samples } = distribution;
  if (samples === 0) return noData(objective, 'ms');
  const misses = samples - ranksWithin(distribution, (sample) => holds(objective, sample));
  return counted(objective, { unit: 'ms', value: distribution.valueAtRank(samples), samples, misses });
}

/** The mean's one-sided bound by the central limit theorem; one sample that never came makes it infinite. */
export function judgeMean(objective: Objective, distribution: Distribution): ObjectiveVerdict {
  const { samples, never, meanMs, deviationMs } = distribution;
  if (samples === 0) return noData(objective, 'ms');
  if (never > 0) {
    const facts = verdictOf(objective, { unit: 'ms', value: Number.POSITIVE_INFINITY, samples, misses: never });
    return { ...facts, verdict: 'fail', reason: `${never} of ${samples} never came: the mean is infinite` };
  }
  const z = normalQuantile(confidence);
  const confidenceBound = meanMs + (z * deviationMs) / Math.sqrt(samples);
  const base = { ...verdictOf(objective, { unit: 'ms', value: meanMs, samples, misses: 0 }), confidenceBound };
  const enough = samples >= leastForMean;
  if (enough && holds(objective, confidenceBound)) return { ...base, verdict: 'pass', reason: provenReason };
  if (enough && !holds(objective, meanMs)) return { ...base, verdict: 'fail', reason: 'the mean is over the bound' };
  const proving = ((z * deviationMs) / (objective.bound - meanMs)) ** 2;
  const needsMore = Math.max(leastForMean, holds(objective, meanMs) ? Math.ceil(proving) + 1 : 0) - samples;
  return { ...base, verdict: 'invalid', needsMore, reason: `not proven; needs ${moreSamples(needsMore)} like these` };
}

/** Below this, a mean of latencies is far from normal. */
const leastForMean = 30;

/**
 * What the p-quantile does not exceed with `confidence` when the samples are worth only `worth` independent ones: the
 * order statistic at the same share of the ranks.
 */
export function valueBound(distribution: Distribution, p: number, worth: number): number | undefined {
  const fewer = Math.floor(worth);
  const rank = upperRank(fewer, p, confidence);
  return rank === undefined ? undefined : distribution.valueAtRank(Math.ceil((rank / fewer) * distribution.samples));
}

/** How many of the smallest samples keep `within`, which holds up to some rank and not beyond. */
function ranksWithin(distribution: Distribution, within: (value: number) => boolean): number {
  let low = 0;
  let high = distribution.samples + 1;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (within(distribution.valueAtRank(middle))) low = middle;
    else high = middle;
  }
  return low;
}
