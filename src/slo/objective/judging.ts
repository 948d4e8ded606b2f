import { selectorText } from '../../metrics/definitions.ts';
import { binomialCdf } from '../../stats/distributions.ts';
import { samplesToProve } from '../../stats/sample-size.ts';
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

/** The share of samples that may miss where an objective is judged from a sample; undefined where it is counted. */
export function missShareOf(objective: Objective): number | undefined {
  if (objective.reading === 'quantile') return 1 - objective.p;
  if (objective.reading === 'share' && objective.bound < 1) return 1 - objective.bound;
  return objective.reading === 'rate' && objective.bound > 0 ? objective.bound : undefined;
}

/** The chance of so many misses, or more, when the true share of them is the one allowed. */
export function missTail(misses: number, samples: number, missShare: number): number {
  return 1 - binomialCdf(misses - 1, samples, missShare);
}

/** A run too short to prove the objective still fails when a good server would do as badly this rarely. */
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
export function sampled(
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
    clustered: undefined,
  };
}

/** `1 more sample`, `12 more samples`. */
export function moreSamples(count: number): string {
  return `${count} more ${count === 1 ? 'sample' : 'samples'}`;
}

function noDataReason({ selector }: Objective): string {
  const chosen = selectorText(selector);
  return chosen === '' ? 'no data' : `no data from sessions with ${chosen}`;
}
