import type { ClusterSums } from '../../metrics/cluster-sums.ts';
import { studentQuantile, welchShift } from '../../stats/student.ts';
import { added, observedEffect, sessionsFreedom } from './clustered.ts';

/**
 * A share of one run, and how its sessions stand: a sum for each profile and language, `misses`
 * being what was not good.
 */
export type ComparedShare = { good: number; total: number; strata: readonly ClusterSums[] };

/** How far the candidate's share lies above the baseline's, with its interval, and what gave it. */
export type ShareShift = {
  baseline: number;
  candidate: number;
  shift: number;
  lower: number;
  upper: number;
  method: 'shares' | 'welch';
};

/**
 * The change of a share from one side to the other; undefined where a side has nothing. Events of
 * one session share its fate, so sessions are the observations: Agresti and Caffo's interval (2000:
 * one more good and one more bad on each side, so that 100 % has an interval too) at the events'
 * worth, which is their number over the design effect of both sides together, with Student's t for
 * the sessions by their lengths. With several runs on each side that have events, Welch's interval
 * of the runs' shares, and never less than that: a few runs may agree by chance to the last
 * session.
 */
export function shiftOfShare(
  baseline: readonly ComparedShare[],
  candidate: readonly ComparedShare[],
  { margin, confidence }: { margin: number; confidence: number },
): ShareShift | undefined {
  const [was, is] = [counted(baseline), counted(candidate)];
  if (was.total === 0 || is.total === 0) return undefined;
  const bySessions = bySession(was, is, { margin, confidence });
  const [before, after] = [sharesOf(baseline), sharesOf(candidate)];
  if (before.length < 2 || after.length < 2) return { ...bySessions, method: 'shares' };
  const { mean, lower, upper } = welchShift(after, before, confidence);
  return {
    method: 'welch',
    baseline: meanOf(before),
    candidate: meanOf(after),
    shift: mean,
    lower: Math.min(lower, bySessions.lower),
    upper: Math.max(upper, bySessions.upper),
  };
}

type Counted = ReturnType<typeof counted>;

function counted(runs: readonly ComparedShare[]) {
  const strata = runs.flatMap((run) => run.strata);
  const good = runs.reduce((sum, run) => sum + run.good, 0);
  const total = runs.reduce((sum, run) => sum + run.total, 0);
  return { good, total, strata };
}

function bySession(was: Counted, is: Counted, { margin, confidence }: { margin: number; confidence: number }) {
  const effect = observedEffect([...was.strata, ...is.strata], margin);
  const variance = [was, is].reduce((sum, { good, total }) => {
    const worth = total / effect + 2;
    const share = (good / effect + 1) / worth;
    // Words may be wrong more than once: then the share is below 0, and its spread that of none.
    return sum + Math.max(0, share * (1 - share)) / worth;
  }, 0);
  const freedom = sessionsFreedom(was.strata, effect) + sessionsFreedom(is.strata, effect);
  const reach = freedom < 1 ? Number.POSITIVE_INFINITY : studentQuantile(confidence, freedom) * Math.sqrt(variance);
  const [baseline, candidate] = [shareOf(was), shareOf(is)];
  const shift = candidate - baseline;
  return { baseline, candidate, shift, lower: shift - reach, upper: shift + reach };
}

/** One of `goods` sessions that each have one event, such as having ended well. */
export function oneASession(good: number, total: number): ComparedShare {
  const bad = total - good;
  const sums: ClusterSums = {
    ...added([]),
    sessions: total,
    samples: total,
    misses: bad,
    samplesSquared: total,
    missesSquared: bad,
    missesSamples: bad,
    samplesCubed: total,
    samplesSquaredMisses: bad,
    samplesMissesSquared: bad,
    samplesFourth: total,
  };
  return { good, total, strata: [sums] };
}

/** The shares of the runs that have any events. */
function sharesOf(runs: readonly ComparedShare[]): number[] {
  return runs.filter(({ total }) => total > 0).map(shareOf);
}

function shareOf({ good, total }: { good: number; total: number }): number {
  return good / total;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
