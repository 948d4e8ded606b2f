import { addClusterSums, type ClusterSums, emptyClusterSums, rungs } from '../../metrics/cluster-sums.ts';
import { firstTrue } from '../../stats/bisect.ts';
import { betaCdf } from '../../stats/distributions.ts';
import { fewness } from '../../stats/effective-size.ts';
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
 * What is to be proven by the sums: that at most `missShare` miss; and whether the samples are
 * themselves latencies.
 */
export type Claim = { missShare: number; latencies: boolean; confidence: number };

/**
 * Samples of one session resemble each other, so that they prove less than as many of different
 * sessions. How much less is their design effect (Kish 1965); the samples it leaves are reduced for
 * few sessions by (t_n-1 / t_df)^2 (Korn and Graubard 1998), with the degrees of freedom of
 * `sessionsFreedom`. How many sessions there are of each profile and language is planned, not
 * drawn: these are strata, and that they differ costs nothing. Undefined when the sessions cannot
 * tell: fewer than two.
 */
export function dependence(strata: readonly ClusterSums[], claim: Claim): Dependence | undefined {
  const told = collapsed(strata);
  const all = added(strata);
  const { sessions, samples, misses } = all;
  if (sessions - told.length < 1 || samples === 0) return undefined;
  const designEffect = samples === sessions ? 1 : Math.max(1, designEffectOf(told, all, claim));
  const freedom = freedomOf(told, effectOfFreedom(claim, designEffect));
  const worth = fewness(samples, freedom, twoSided(claim.confidence)) / designEffect;
  return { sessions, designEffect, samples: samples * worth, misses: misses * worth };
}

/**
 * Whether dependent samples prove that at most `missShare` of all miss: the binomial test at their
 * worth.
 */
export function provesShare(
  { samples, misses }: Pick<Dependence, 'samples' | 'misses'>,
  missShare: number,
  confidence: number,
): boolean {
  return samples > misses && betaCdf(1 - missShare, samples - misses, misses + 1) <= 1 - confidence;
}

/** How many more sessions like these, none of them with a miss, would prove the share. */
export function sessionsToProve(strata: readonly ClusterSums[], worth: Dependence, claim: Claim): number {
  const { sessions, samples } = added(strata);
  const freedom = sessionsFreedom(strata, effectOfFreedom(claim, worth.designEffect));
  const now = fewness(samples, freedom, twoSided(claim.confidence));
  const [cleaned, missed] = [worth.samples / now, worth.misses / now];
  const proves = (times: number) => {
    const factor = fewness(samples * times, (freedom + 1) * times - 1, twoSided(claim.confidence));
    const more = { samples: cleaned * times * factor, misses: missed * factor };
    return provesShare(more, claim.missShare, claim.confidence);
  };
  return firstTrue(1, mostSessions, (more) => proves(1 + more / sessions));
}

/**
 * The mean of samples that are clustered, and what it does not exceed with `confidence`; undefined
 * as for a share.
 */
export function clusteredMean(
  strata: readonly ClusterSums[],
  confidence: number,
): { sessions: number; mean: number; deviation: number; bound: number } | undefined {
  const told = collapsed(strata);
  const { sessions, samples, misses: total } = added(strata);
  if (sessions - told.length < 1 || samples === 0) return undefined;
  const deviation = Math.sqrt(sumOf(told, spread)) / samples;
  const mean = total / samples;
  return {
    sessions,
    mean,
    deviation,
    bound: mean + studentUpper(confidence, Math.max(0.5, freedomOf(told, 1))) * deviation,
  };
}

/**
 * The design effect of the misses as they are; of fewer than `leastMisses` at least that of the
 * latencies behind them, at the quantile nearest to `share`. Sessions of one sample each are
 * independent.
 */
export function observedEffect(strata: readonly ClusterSums[], share: number): number {
  const told = collapsed(strata);
  const all = added(strata);
  if (all.samples === all.sessions) return 1;
  const own = missEffect(told, all) ?? 1;
  const size = all.samplesSquared / all.samples;
  return Math.max(
    1,
    own,
    all.misses >= leastMisses && all.misses < all.samples ? 1 : (tailEffect(told, all, share) ?? size),
  );
}

/**
 * How many sessions are free to differ where samples have this design effect: for each profile and
 * language, by the shares v of the sessions in the variance, (sum v)^2 / (sum v^2) - 1
 * (Satterthwaite 1946; Imbens and Kolesár 2016 take v as for equally correlated samples, v = n (1 +
 * icc (n - 1))). By their lengths where samples are independent, fewer the more the few long
 * sessions decide.
 */
export function sessionsFreedom(strata: readonly ClusterSums[], designEffect: number): number {
  return freedomOf(collapsed(strata), designEffect);
}

/**
 * The variance of a ratio over clusters (linearised), which is that of the share of misses, and the
 * clusters' own weight in it: residuals of large sessions are drawn towards 0 by their own part of
 * the mean (to the first order of the leverage).
 */
function spread(one: ClusterSums): number {
  const share = one.misses / one.samples;
  const plain = one.missesSquared - 2 * share * one.missesSamples + share * share * one.samplesSquared;
  const weighted = one.samplesMissesSquared - 2 * share * one.samplesSquaredMisses + share * share * one.samplesCubed;
  return Math.max(0, plain + weighted / one.samples);
}

/**
 * Sessions by their lengths, (sum n)^2 / (sum n^2) (Kish 1965): fewer than there are when few of
 * them hold most samples.
 */
export function sessionsByLength(strata: readonly ClusterSums[]): number {
  const { samples, samplesSquared } = added(strata);
  return samplesSquared === 0 ? 0 : samples ** 2 / samplesSquared;
}

export function added(strata: readonly ClusterSums[]): ClusterSums {
  const sum = emptyClusterSums();
  for (const one of strata) addClusterSums(sum, one);
  return sum;
}

/** Strata of one session have no spread of their own: they are taken together. */
function collapsed(strata: readonly ClusterSums[]): readonly ClusterSums[] {
  const single = strata.filter(({ sessions }) => sessions === 1);
  const others = strata.filter(({ sessions }) => sessions > 1);
  return single.length === 0 ? others : [...others, added(single)];
}

/** Below this many samples on the far side, their own spread over the sessions says little. */
const leastMisses = 10;
/** By how much the design effect of few misses is at most taken to be too small. */
const mostLuck = 9;

/**
 * Few misses and a small design effect come together: the lucky runs are those that believe
 * themselves independent. So of latencies it is the largest of three: that of the misses, and those
 * at the sample's own quantiles where the share that may miss, and twice that share, do. Of shares
 * it is that of the misses, between sessions scaled to the share that may miss, squared; or with
 * fewer than `leastMisses` of them that of the latencies behind them at the quantile nearest to
 * that share which has data. Without any, or where no two latencies differ, a session counts as one
 * sample. docs/statistics.md has what each of these comes to.
 */
function designEffectOf(told: readonly ClusterSums[], all: ClusterSums, { missShare, latencies }: Claim): number {
  const own = missEffect(told, all);
  const size = all.samplesSquared / all.samples;
  if (latencies) {
    const ownQuantiles = [missShare, 2 * missShare].map((share) => tailEffect(told, all, share) ?? size);
    return Math.max(own ?? 1, ...ownQuantiles);
  }
  const luck = own === undefined ? 1 : (missShare / (all.misses / all.samples)) ** 2;
  const scaled = own === undefined ? 1 : 1 + Math.max(0, own - 1) * Math.min(mostLuck, Math.max(1, luck));
  return own !== undefined && all.misses >= leastMisses
    ? scaled
    : Math.max(scaled, tailEffect(told, all, missShare) ?? size);
}

function missEffect(strata: readonly ClusterSums[], { samples, misses }: ClusterSums): number | undefined {
  const share = misses / samples;
  return share <= 0 || share >= 1 ? undefined : sumOf(strata, spread) / samples / (share * (1 - share));
}

/**
 * The design effect that the latencies' tail of this share has, of sessions as long as these: its
 * intra-class correlation where the latencies are of other events. The highest rung with enough
 * samples above it, or else with most of those that have some above and some below; undefined when
 * none has.
 */
function tailEffect(strata: readonly ClusterSums[], all: ClusterSums, share: number): number | undefined {
  const { tails } = all;
  const [samples, squares] = [tails[0] ?? 0, tails[1] ?? 0];
  const enough = Math.max(leastMisses, share * samples);
  let chosen: number | undefined;
  for (let rung = 1; rung < rungs; rung++) {
    const above = tails[3 * rung]!;
    if (above > 0 && above < samples && (chosen === undefined || above >= enough)) chosen = rung;
  }
  if (chosen === undefined) return undefined;
  const at = chosen;
  const above = tails[3 * at]! / samples;
  const effect = sumOf(strata, (one) => tailSpread(one, at)) / samples / (above * (1 - above));
  const size = squares / samples;
  if (size <= 1) return 1;
  return 1 + ((effect - 1) / (size - 1)) * (all.samplesSquared / all.samples - 1);
}

function tailSpread({ sessions, tails }: ClusterSums, rung: number): number {
  const [samples, squares] = [tails[0]!, tails[1]!];
  if (samples === 0) return 0;
  const share = tails[3 * rung]! / samples;
  const plain = tails[3 * rung + 1]! - 2 * share * tails[3 * rung + 2]! + share * share * squares;
  return (sessions / Math.max(1, sessions - 1)) * Math.max(0, plain);
}

/**
 * Sessions of latencies count by their lengths: the largest of three design effects has allowed for
 * the rest.
 */
function effectOfFreedom({ latencies }: Claim, designEffect: number): number {
  return latencies ? 1 : designEffect;
}

/** See `sessionsFreedom`. */
function freedomOf(strata: readonly ClusterSums[], designEffect: number): number {
  const { samples, samplesSquared } = added(strata);
  const size = samplesSquared / samples;
  const icc = size > 1 ? Math.min(1, (designEffect - 1) / (size - 1)) : 0;
  return sumOf(strata, (one) => {
    const whole = (1 - icc) * one.samples + icc * one.samplesSquared;
    const squares =
      (1 - icc) ** 2 * one.samplesSquared + 2 * icc * (1 - icc) * one.samplesCubed + icc ** 2 * one.samplesFourth;
    return squares === 0 ? -1 : whole ** 2 / squares - 1;
  });
}

/** The confidence whose two-sided quantile is the one-sided one of `confidence`, above 1/2. */
function twoSided(confidence: number): number {
  return 2 * confidence - 1;
}

/** More sessions than anybody has. */
const mostSessions = 1e9;

function sumOf(strata: readonly ClusterSums[], of: (sums: ClusterSums) => number): number {
  return strata.reduce((sum, one) => sum + of(one), 0);
}
