import { dollars, numberText } from '../../format.ts';
import { isRate, type Measurements } from '../../metrics/definitions.ts';
import type { Objective } from './expression.ts';
import { judgeBySessions } from './judge-sessions.ts';
import {
  counted,
  goodShare,
  holds,
  judgeMax,
  judgeMean,
  judgeQuantile,
  judgeShare,
  missShareOf,
  missTail,
  noData,
  verdictOf,
} from './judging.ts';
import type { ObjectiveVerdict, Verdict } from './objective-verdict.ts';

/**
 * `assumeIndependent`: samples of one session are taken as independent, as if each were a session
 * of its own.
 */
export type Judging = { assumeIndependent?: boolean | undefined };

/**
 * Judges one objective. A quantile, a mean or a share passes when the sessions prove it at 95 %
 * (`judgeBySessions`), fails when the measured value misses, and is invalid in between or without
 * data. Counts, `max`, a cost, a rate of `== 0` and a share of 100 % are judged as counted in this
 * run.
 */
export function judge(
  objective: Objective,
  measured: Measurements,
  { assumeIndependent = false }: Judging = {},
): ObjectiveVerdict {
  const bySamples = judgeSamples(objective, measured);
  const bySessions = judgeBySessions(objective, measured, bySamples);
  if (!bySessions) return bySamples;
  return assumeIndependent ? assumed(bySamples, bySessions.clustered) : bySessions;
}

function assumed(verdict: ObjectiveVerdict, clustered: ObjectiveVerdict['clustered']): ObjectiveVerdict {
  if (verdict.verdict === 'fail' || verdict.samples === 0) return { ...verdict, clustered };
  return { ...verdict, clustered, reason: `${verdict.reason}; samples taken as independent` };
}

function judgeSamples(objective: Objective, measured: Measurements): ObjectiveVerdict {
  switch (objective.aggregation) {
    case 'quantile':
      return judgeQuantile(objective, measured.distributions[objective.metric]);
    case 'max':
      return judgeMax(objective, measured.distributions[objective.metric]);
    case 'mean':
      return judgeMean(objective, measured.distributions[objective.metric]);
    case 'share': {
      const { good, total } = measured.shares[objective.metric];
      return judgeShare(objective, total - good, total, goodShare(objective));
    }
    case 'rate': {
      const { count, of } = countOf(objective, measured);
      return judgeShare(objective, count, of, { value: (bad) => bad, missShare: objective.bound });
    }
    case 'count': {
      const { count, of } = countOf(objective, measured);
      if (of === 0) return noData(objective, 'count');
      return counted(objective, { unit: 'count', value: count, samples: of, misses: count });
    }
    case 'cost':
      return judgeCost(objective, measured.cost);
  }
}

/**
 * Whether a miss is beyond doubt: what is counted is; of a sample, only when a server that just
 * keeps the objective would do as badly once in a thousand times, since who looks twice a second
 * would else find an unlucky moment.
 */
export function missedForCertain(objective: Objective, verdict: ObjectiveVerdict): boolean {
  if (verdict.verdict !== 'fail') return false;
  const missShare = missShareOf(objective);
  return missShare === undefined || missTail(verdict.misses, verdict.samples, missShare) <= 0.001;
}

/**
 * The whole run: any failed objective fails it, else any unproven one makes it invalid. No
 * objectives prove nothing.
 */
export function overall(verdicts: readonly ObjectiveVerdict[]): Verdict {
  if (verdicts.some((one) => one.verdict === 'fail')) return 'fail';
  return verdicts.length > 0 && verdicts.every((one) => one.verdict === 'pass') ? 'pass' : 'invalid';
}

/** Money that was spent while nobody was served is infinite by the minute, and no lack of data. */
function judgeCost(objective: Objective, cost: Measurements['cost']): ObjectiveVerdict {
  if (!cost) return noData(objective, 'usd_per_minute');
  const value = cost.audioMinutes === 0 ? Number.POSITIVE_INFINITY : cost.dollars / cost.audioMinutes;
  const met = holds(objective, value);
  const facts = verdictOf(objective, { unit: 'usd_per_minute', value, samples: 1, misses: met ? 0 : 1 });
  const minutes = `${dollars(cost.dollars)} for ${numberText(cost.audioMinutes)} minutes of sound`;
  return { ...facts, verdict: met ? 'pass' : 'fail', reason: minutes };
}

type Counting = Objective & { aggregation: 'count' | 'rate' };

function countOf({ metric }: Counting, { counts, rates }: Measurements): { count: number; of: number } {
  return isRate(metric) ? rates[metric] : counts[metric];
}
