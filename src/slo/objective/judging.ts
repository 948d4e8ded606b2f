import { type Distribution, quantile, ranksWithin, selectorText } from '../../metrics/definitions.ts';
import { binomialCdf, normalQuantile } from '../../stats/distributions.ts';
import { upperRank } from '../../stats/order-statistics.ts';
import { samplesToProve } from '../../stats/sample-size.ts';
import { shareUpper } from '../../stats/share-bounds.ts';
import type { Objective } from './expression.ts';
import type { ObjectiveVerdict } from './objective-verdict.ts';

/** One-sided confidence of every sampled verdict. */
export const confidence = 0.95;

export const provenReason = 'proven at 95 % confidence';

/** Whether a value keeps the objective's bound. */
export function holds(objective: Objective, value: number): boolean {
  switch (objective.comparator) {
    case '<':
      return value < objective.bound;
    case '<=':
      return value <= objective.bound;
    case '>':
      return value > objective.bound;
    case '>=':
      return value >= objective.bound;
    case '==':
      return value === objective.bound;
  }
}

/**
 * The share of samples that may miss where an objective is judged from a sample; undefined where it
 * is counted.
 */
export function missShareOf(objective: Objective): number | undefined {
  if (objective.aggregation === 'quantile') return 1 - objective.p;
  if (objective.aggregation === 'share' && objective.bound < 1) return 1 - objective.bound;
  return objective.aggregation === 'rate' && objective.bound > 0 ? objective.bound : undefined;
}

/** The chance of so many misses, or more, when the true share of them is the one allowed. */
export function missTail(misses: number, samples: number, missShare: number): number {
  return 1 - binomialCdf(misses - 1, samples, missShare);
}

/**
 * A run too short to prove the objective still fails when a good server would do as badly this
 * rarely.
 */
const doubtOfFailure = 0.01;

export type Facts = { unit: ObjectiveVerdict['unit']; value: number; samples: number; misses: number };

/** As counted in this run: nothing is inferred. */
export function counted(objective: Objective, facts: Facts): ObjectiveVerdict {
  const met = holds(objective, facts.value);
  return {
    ...verdictOf(objective, facts),
    verdict: met ? 'pass' : 'fail',
    reason: met ? 'counted in this run' : `${facts.misses} of ${facts.samples} missed`,
  };
}

/** From a sample: proven by the binomial bound, missed as measured, or neither. */
function sampled(
  objective: Objective,
  facts: Facts & { confidenceBound: number | undefined; missShare: number },
): ObjectiveVerdict {
  const { value, samples, misses, missShare } = facts;
  const base = { ...verdictOf(objective, facts), confidenceBound: facts.confidenceBound };
  if (binomialCdf(misses, samples, missShare) <= 1 - confidence) {
    return { ...base, verdict: 'pass', reason: provenReason };
  }
  const needsMore = samplesToProve(missShare, misses, confidence) - samples;
  // So few that all would have to be good to prove anything may still be bad beyond doubt.
  const enough =
    samples >= samplesToProve(missShare, 0, confidence) || missTail(misses, samples, missShare) <= doubtOfFailure;
  if (holds(objective, value) || !enough) {
    return {
      ...base,
      verdict: 'invalid',
      needsMore,
      reason: `not proven; needs ${moreSamples(needsMore)}, none a miss`,
    };
  }
  return { ...base, verdict: 'fail', reason: `${misses} of ${samples} missed` };
}

export function noData(objective: Objective, unit: ObjectiveVerdict['unit']): ObjectiveVerdict {
  const facts = { unit, value: undefined, samples: 0, misses: 0 };
  return { ...verdictOf(objective, facts), verdict: 'invalid', reason: noDataReason(objective) };
}

export function verdictOf(
  objective: Objective,
  facts: Omit<Facts, 'value'> & { value: number | undefined },
): Omit<ObjectiveVerdict, 'verdict' | 'reason'> {
  const { unit, value, samples, misses } = facts;
  return {
    objective: objective.source,
    metric: objective.metric,
    value,
    bound: objective.bound,
    unit,
    samples,
    misses,
    confidenceBound: undefined,
    needsMore: undefined,
    needsSessions: undefined,
    clustered: undefined,
  };
}

/** How the share of misses reads as the objective's value, and how large it may be. */
export type ShareAggregation = { value: (badShare: number) => number; missShare: number };

/** How an objective on the share of good events reads a share of bad ones. */
export function goodShare({ bound }: Pick<Objective, 'bound'>): ShareAggregation {
  return { value: (bad) => 1 - bad, missShare: 1 - bound };
}

export function judgeShare(
  objective: Objective,
  misses: number,
  samples: number,
  aggregation: ShareAggregation,
): ObjectiveVerdict {
  if (samples === 0) return noData(objective, 'share');
  const facts: Facts = { unit: 'share', value: aggregation.value(misses / samples), samples, misses };
  if (aggregation.missShare === 0) return counted(objective, facts);
  const confidenceBound = aggregation.value(shareUpper(misses, samples, confidence));
  return sampled(objective, { ...facts, confidenceBound, missShare: aggregation.missShare });
}

export function judgeQuantile(
  objective: Objective & { aggregation: 'quantile' },
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

/**
 * The mean's one-sided bound by the central limit theorem; one sample that never came makes it
 * infinite.
 */
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
export const leastForMean = 30;

/**
 * What the p-quantile does not exceed with `confidence` when the samples are worth only `worth`
 * independent ones: the order statistic at the same share of the ranks.
 */
export function valueBound(distribution: Distribution, p: number, worth: number): number | undefined {
  const fewer = Math.floor(worth);
  const rank = upperRank(fewer, p, confidence);
  return rank === undefined ? undefined : distribution.valueAtRank(Math.ceil((rank / fewer) * distribution.samples));
}

/** `1 more sample`, `12 more samples`. */
function moreSamples(count: number): string {
  return `${count} more ${count === 1 ? 'sample' : 'samples'}`;
}

function noDataReason({ selector }: Objective): string {
  const chosen = selectorText(selector);
  return chosen === '' ? 'no data' : `no data from sessions with ${chosen}`;
}
