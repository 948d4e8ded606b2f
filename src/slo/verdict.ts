import { binomialCdf, normalQuantile } from '../stats/distributions.ts';
import { upperRank } from '../stats/order-statistics.ts';
import { samplesToProve } from '../stats/sample-size.ts';
import type { Objective } from './expression.ts';
import { type Distribution, type Measurements, quantile } from './metrics.ts';

/** `invalid`: the run proves nothing either way. Only `pass` is a pass. */
export type Verdict = 'pass' | 'fail' | 'invalid';

export type ObjectiveVerdict = {
  objective: string;
  metric: string;
  verdict: Verdict;
  /** ms, a share of 1, or a count; Infinity when that feedback never came; undefined without data. */
  value: number | undefined;
  bound: number;
  unit: 'ms' | 'share' | 'count';
  samples: number;
  /** Samples on the wrong side of the bound. */
  misses: number;
  /** What the true value does not exceed (or, for a share, fall below) with `confidence`; undefined: counted, or no bound yet. */
  confidenceBound: number | undefined;
  /** How many more samples, none of them a miss, would prove the objective. */
  needsMore: number | undefined;
  reason: string;
};

/** One-sided confidence of every sampled verdict. */
export const confidence = 0.95;

/**
 * Judges one objective. A quantile or a share passes when the samples prove it at 95 % (distribution-free binomial
 * bound), fails when the measured value misses, and is invalid in between or without data. Counts, `max`, a rate of
 * `== 0` and a share of 100 % are judged as counted in this run.
 */
export function judge(objective: Objective, measured: Measurements): ObjectiveVerdict {
  switch (objective.reading) {
    case 'quantile':
      return judgeQuantile(objective, measured.distributions[objective.metric]);
    case 'max':
      return judgeMax(objective, measured.distributions[objective.metric]);
    case 'mean':
      return judgeMean(objective, measured.distributions[objective.metric]);
    case 'share': {
      const { good, total } = measured.shares[objective.metric];
      return judgeShare(objective, total - good, total, { value: (bad) => 1 - bad, missShare: 1 - objective.bound });
    }
    case 'rate': {
      const { count, of } = measured.counts[objective.metric];
      return judgeShare(objective, count, of, { value: (bad) => bad, missShare: objective.bound });
    }
    case 'count': {
      const { count, of } = measured.counts[objective.metric];
      if (of === 0) return noData(objective, 'count');
      return counted(objective, { unit: 'count', value: count, samples: of, misses: count });
    }
  }
}

/** The whole run: any failed objective fails it, else any unproven one makes it invalid. No objectives prove nothing. */
export function overall(verdicts: readonly ObjectiveVerdict[]): Verdict {
  if (verdicts.some((one) => one.verdict === 'fail')) return 'fail';
  return verdicts.length > 0 && verdicts.every((one) => one.verdict === 'pass') ? 'pass' : 'invalid';
}

function judgeQuantile(objective: Objective & { reading: 'quantile' }, distribution: Distribution): ObjectiveVerdict {
  const value = quantile(distribution, objective.p);
  if (value === undefined) return noData(objective, 'ms');
  const { samples } = distribution;
  const misses = samples - ranksWithin(distribution, (sample) => holds(objective, sample));
  const rank = upperRank(samples, objective.p, confidence);
  const confidenceBound = rank === undefined ? undefined : distribution.valueAtRank(rank);
  return sampled(objective, { unit: 'ms', value, samples, misses, confidenceBound, missShare: 1 - objective.p });
}

function judgeMax(objective: Objective, distribution: Distribution): ObjectiveVerdict {
  const { samples } = distribution;
  if (samples === 0) return noData(objective, 'ms');
  const misses = samples - ranksWithin(distribution, (sample) => holds(objective, sample));
  return counted(objective, { unit: 'ms', value: distribution.valueAtRank(samples), samples, misses });
}

/** The mean's one-sided bound by the central limit theorem; one sample that never came makes it infinite. */
function judgeMean(objective: Objective, distribution: Distribution): ObjectiveVerdict {
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
  return { ...base, verdict: 'invalid', needsMore, reason: `not proven; needs ${needsMore} more samples like these` };
}

/** Below this, a mean of latencies is far from normal. */
const leastForMean = 30;
const provenReason = 'proven at 95 % confidence';

type ShareReading = { value: (badShare: number) => number; missShare: number };

function judgeShare(objective: Objective, misses: number, samples: number, reading: ShareReading): ObjectiveVerdict {
  if (samples === 0) return noData(objective, 'share');
  const facts = { unit: 'share', value: reading.value(misses / samples), samples, misses } as const;
  if (reading.missShare === 0) return counted(objective, facts);
  const confidenceBound = reading.value(badShareBound(misses, samples));
  return sampled(objective, { ...facts, confidenceBound, missShare: reading.missShare });
}

type Facts = { unit: ObjectiveVerdict['unit']; value: number; samples: number; misses: number };

function counted(objective: Objective, facts: Facts): ObjectiveVerdict {
  const met = holds(objective, facts.value);
  return {
    ...verdictOf(objective, facts),
    verdict: met ? 'pass' : 'fail',
    reason: met ? 'counted in this run' : `${facts.misses} of ${facts.samples} missed`,
  };
}

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
  const enough = samples >= samplesToProve(missShare, 0, confidence);
  if (holds(objective, value) || !enough) {
    return {
      ...base,
      verdict: 'invalid',
      needsMore,
      reason: `not proven; needs ${needsMore} more samples, none a miss`,
    };
  }
  return { ...base, verdict: 'fail', reason: `${misses} of ${samples} missed` };
}

function noData(objective: Objective, unit: ObjectiveVerdict['unit']): ObjectiveVerdict {
  const facts = { unit, value: undefined, samples: 0, misses: 0 };
  return { ...verdictOf(objective, facts), verdict: 'invalid', reason: 'no data' };
}

function verdictOf(
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
  };
}

function holds(objective: Objective, value: number): boolean {
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
