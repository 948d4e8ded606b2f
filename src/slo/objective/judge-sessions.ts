import type { ClusterSums } from '../../metrics/cluster-sums.ts';
import type { Measurements } from '../../metrics/definitions.ts';
import { normalQuantile } from '../../stats/distributions.ts';
import { shareUpper } from '../../stats/share-bounds.ts';
import {
  added,
  type Claim,
  clusteredMean,
  type Dependence,
  dependence,
  provesShare,
  sessionsToProve,
} from './clustered.ts';
import type { Objective } from './expression.ts';
import { confidence, goodShare, holds, missShareOf, provenReason, valueBound } from './judging.ts';
import type { Clustered, ObjectiveVerdict } from './objective-verdict.ts';
import { sessionsNeeded } from './sessions-needed.ts';

/**
 * The verdict when sessions are independent and the samples of one need not be: a miss as measured
 * stays one, and what passes is what the sessions prove. Undefined where sessions are not the unit:
 * what is counted, what happens once a session, the generator's own lateness, and a test while it
 * runs, of whose sessions nobody keeps account.
 */
export function judgeBySessions(
  objective: Objective,
  measured: Measurements,
  bySamples: ObjectiveVerdict,
): ObjectiveVerdict | undefined {
  const strata = measured.strata?.flatMap((stratum) => stratum[objective.source] ?? []) ?? [];
  if (strata.length === 0 || generatorsOwn.has(objective.metric)) return undefined;
  if (objective.aggregation === 'mean') return judgeMeanBySessions(objective, strata, bySamples);
  const missShare = missShareOf(objective);
  if (missShare === undefined) return undefined;
  const claim: Claim = { missShare, confidence, latencies: objective.aggregation === 'quantile' };
  const worth = dependence(strata, claim);
  const clustered = worth && clusteredOf(objective, measured, worth, missShare);
  if (bySamples.verdict === 'fail') return { ...bySamples, clustered };
  if (!worth || !clustered) return withoutSpread(bySamples, strata, missShare);
  const judged = { ...bySamples, clustered, confidenceBound: clustered.confidenceBound };
  if (clustered.proven) return { ...judged, verdict: 'pass', reason: provenReason, needsMore: undefined };
  return unproven(judged, strata, sessionsToProve(strata, worth, claim));
}

/** Their samples are of the generator's clock, not of a learner. */
const generatorsOwn: ReadonlySet<string> = new Set(['send_lateness', 'shaping_lateness']);

function clusteredOf(objective: Objective, measured: Measurements, worth: Dependence, missShare: number): Clustered {
  return {
    sessions: worth.sessions,
    designEffect: worth.designEffect,
    effectiveSamples: worth.samples,
    confidenceBound: boundOf(objective, measured, worth),
    proven: provesShare(worth, missShare, confidence),
  };
}

function boundOf(objective: Objective, measured: Measurements, worth: Dependence): number | undefined {
  if (objective.aggregation === 'quantile')
    return valueBound(measured.distributions[objective.metric], objective.p, worth.samples);
  const share = shareUpper(worth.misses, worth.samples, confidence);
  return objective.aggregation === 'share' ? goodShare(objective).value(share) : share;
}

/** One session, or one of each profile: nothing tells how much sessions differ. */
function withoutSpread(judged: ObjectiveVerdict, strata: readonly ClusterSums[], missShare: number): ObjectiveVerdict {
  const { sessions, samples } = added(strata);
  const needed = sessionsNeeded({ missShare, samplesASession: samples / Math.max(1, sessions), confidence });
  return unproven({ ...judged, confidenceBound: undefined }, strata, Math.max(1, needed.least - sessions));
}

function unproven(judged: ObjectiveVerdict, strata: readonly ClusterSums[], needsSessions: number): ObjectiveVerdict {
  const { sessions, samples } = added(strata);
  const effect = judged.clustered ? ` (design effect ${judged.clustered.designEffect.toFixed(1)})` : '';
  const more = `${needsSessions} more like ${sessions === 1 ? 'it' : 'these'}`;
  return {
    ...judged,
    verdict: 'invalid',
    needsSessions,
    needsMore: Math.ceil((needsSessions * samples) / sessions),
    reason: `not proven by ${sessions} ${sessions === 1 ? 'session' : 'sessions'}${effect}; needs ${more}, none with a miss`,
  };
}

/**
 * The mean of a ratio over clusters, Student's t with as many degrees of freedom as sessions count
 * by their lengths.
 */
function judgeMeanBySessions(
  objective: Objective,
  strata: readonly ClusterSums[],
  bySamples: ObjectiveVerdict,
): ObjectiveVerdict {
  const found = clusteredMean(strata, confidence);
  const { samples } = added(strata);
  if (bySamples.verdict === 'fail') return bySamples;
  if (!found) return { ...unproven(bySamples, strata, 1), confidenceBound: undefined };
  const proven = bySamples.verdict === 'pass' && holds(objective, found.bound);
  const sampled = ((bySamples.confidenceBound ?? found.mean) - found.mean) / normalQuantile(confidence);
  const designEffect = sampled > 0 ? Math.max(1, (found.deviation / sampled) ** 2) : 1;
  const clustered: Clustered = {
    sessions: found.sessions,
    designEffect,
    effectiveSamples: samples / designEffect,
    confidenceBound: found.bound,
    proven,
  };
  const judged = { ...bySamples, clustered, confidenceBound: found.bound };
  if (proven) return judged;
  const times = ((found.bound - found.mean) / (objective.bound - found.mean)) ** 2;
  const more = Math.max(1, Math.ceil(found.sessions * Math.max(0, times - 1)));
  return { ...unproven(judged, strata, more), reason: meanReason(judged, found.sessions, more) };
}

function meanReason({ verdict, reason }: ObjectiveVerdict, sessions: number, more: number): string {
  return verdict === 'pass' ? `not proven by ${sessions} sessions; needs ${more} more like these` : reason;
}
