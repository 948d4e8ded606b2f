import { addClusterSums, type ClusterSums, emptyClusterSums } from '../../metrics/cluster-sums.ts';
import { betaCdf, betaQuantile } from '../../stats/distributions.ts';
import { studentUpper } from '../../stats/student.ts';

/** How many independent samples those of a test are worth. */
export type Dependence = {
  sessions: number;
  /** Variance of the share of misses, over what independent samples would have; 1 or more. */
  designEffect: number;
  samples: number;
  misses: number;
};

/**
 * Samples of one session resemble each other, so that they prove less than as many of different sessions. The design
 * effect is that of the share of misses itself (the linearised variance of a ratio over clusters, Kish 1965), or with fewer
 * than `leastMisses` of them that of the latencies' intra-class correlation (one-way analysis of variance on log latency),
 * which is no smaller. How many sessions there are of each profile and language is planned, not drawn: these are strata, and
 * that they differ costs nothing. The samples it leaves are reduced for few sessions by (t_n-1 / t_df)^2 (Korn and Graubard
 * 1998). Undefined when the sessions cannot tell: fewer than two, or shares without a miss.
 */
export function dependence(strata: readonly ClusterSums[], confidence: number): Dependence | undefined {
  const told = collapsed(strata);
  const all = added(strata);
  const { sessions, samples, misses } = all;
  const freedom = sessions - told.length;
  if (freedom < 1 || samples <= sessions) return undefined;
  const effect = misses >= leastMisses && misses < samples ? missEffect(told, all) : latencyEffect(told);
  if (effect === undefined) return undefined;
  const designEffect = Math.max(1, effect);
  const fewness = (studentUpper(confidence, samples - 1) / studentUpper(confidence, freedom)) ** 2;
  const worth = fewness / designEffect;
  return { sessions, designEffect, samples: samples * worth, misses: misses * worth };
}

/** Whether dependent samples prove that at most `missShare` of all miss: the binomial test at their worth. */
export function provesShare({ samples, misses }: Dependence, missShare: number, confidence: number): boolean {
  return betaCdf(1 - missShare, samples - misses, misses + 1) <= 1 - confidence;
}

/** The largest share of misses that is still plausible (Clopper and Pearson, at the samples' worth). */
export function missShareBound({ samples, misses }: Dependence, confidence: number): number {
  return misses >= samples ? 1 : betaQuantile(confidence, misses + 1, samples - misses);
}

/** Below this many misses their own spread over the sessions says little. */
const leastMisses = 10;

/** Strata of one session have no spread of their own: they are taken together. */
function collapsed(strata: readonly ClusterSums[]): readonly ClusterSums[] {
  const single = strata.filter(({ sessions }) => sessions === 1);
  const others = strata.filter(({ sessions }) => sessions > 1);
  return single.length === 0 ? others : [...others, added(single)];
}

function added(strata: readonly ClusterSums[]): ClusterSums {
  const sum = emptyClusterSums();
  for (const one of strata) addClusterSums(sum, one);
  return sum;
}

function missEffect(strata: readonly ClusterSums[], { samples, misses }: ClusterSums): number {
  const share = misses / samples;
  const clustered = sumOf(strata, (one) => {
    const own = one.misses / one.samples;
    const spread = one.missesSquared - 2 * own * one.missesSamples + own * own * one.samplesSquared;
    return (one.sessions / Math.max(1, one.sessions - 1)) * spread;
  });
  return clustered / samples ** 2 / ((share * (1 - share)) / samples);
}

function latencyEffect(strata: readonly ClusterSums[]): number | undefined {
  if (sumOf(strata, ({ logSquares }) => logSquares) === 0) return undefined;
  const sessions = sumOf(strata, (one) => one.sessions);
  const samples = sumOf(strata, (one) => one.samples);
  const freedom = sessions - strata.length;
  const between = sumOf(strata, (one) => one.logBetween - one.logSum ** 2 / one.samples) / freedom;
  const within = sumOf(strata, (one) => one.logSquares - one.logBetween) / (samples - sessions);
  const size = sumOf(strata, (one) => one.samples - one.samplesSquared / one.samples) / freedom;
  const correlation = (between - within) / (between + (size - 1) * within);
  if (!Number.isFinite(correlation)) return 1;
  const weighted = sumOf(strata, (one) => one.samplesSquared) / samples;
  return 1 + (weighted - 1) * Math.min(1, Math.max(0, correlation));
}

function sumOf(strata: readonly ClusterSums[], of: (sums: ClusterSums) => number): number {
  return strata.reduce((sum, one) => sum + of(one), 0);
}
