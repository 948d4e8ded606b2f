import { concurrencyQuantile } from '../queueing/concurrency.ts';
import { serversForBlocking } from '../queueing/erlang.ts';
import { ceilSafe } from '../queueing/rounding.ts';

export type PodDemand = {
  users: number;
  /** Share of the time that a user speaks. */
  duty: number;
  streamsPerPod: number;
  /** Spare share on top of the linear rule: .3 for 30 %. */
  headroom: number;
  /** Share of moments (binomial) or of starts (Erlang B) that may find no place. */
  blocking: number;
};

/** Pods by four rules, side by side. */
export type PodCounts = {
  /** users x duty / streams, rounded up: enough for the mean, too few half of the time. */
  minimum: number;
  /** The minimum and its headroom, rounded up again: 67 -> 88 at 30 %. */
  withHeadroom: number;
  /** Enough for all but `blocking` of the moments of a finite class. */
  binomial: number;
  /** Enough for all but `blocking` of the starts, were the class without end (Erlang B). */
  erlangB: number;
};

export function countPods({ users, duty, streamsPerPod, headroom, blocking }: PodDemand): PodCounts {
  const active = users * duty;
  const minimum = ceilSafe(active / streamsPerPod);
  return {
    minimum,
    withHeadroom: ceilSafe(minimum * (1 + headroom)),
    binomial: Math.ceil(concurrencyQuantile(users, duty, 1 - blocking) / streamsPerPod),
    erlangB: Math.ceil(serversForBlocking(active, blocking) / streamsPerPod),
  };
}

/** Pods of regions that do not share them. */
export function addPods(counts: readonly PodCounts[]): PodCounts {
  const sum = (key: keyof PodCounts) => counts.reduce((total, each) => total + each[key], 0);
  return {
    minimum: sum('minimum'),
    withHeadroom: sum('withHeadroom'),
    binomial: sum('binomial'),
    erlangB: sum('erlangB'),
  };
}
