import { firstTrue } from '../../stats/bisect.ts';
import { equalWeights, fewness } from '../../stats/effective-size.ts';
import { quantileRanks } from '../../stats/order-statistics.ts';
import { type Clusters, clusterSizes } from '../sample/clusters.ts';
import type { Interval } from './verdict.ts';

/** What traces are worth where those of one session resemble each other. */
export type Worth = {
  /** Undefined: each trace is a session of its own, or nobody says. */
  sessions: number | undefined;
  /** Sessions by their lengths, (sum n)^2 / (sum n^2): fewer where few hold most traces. */
  byLength?: number;
  /**
   * Variance of the share of traces above the quantile, over what independent ones would have; 1 or
   * more.
   */
  designEffect: number;
  /** As many independent traces prove as much. */
  traces: number;
};

/**
 * The worth of values at their own quantile `q`: their number over the design effect of the share
 * above it (Kish 1965), reduced for few sessions, which count by their lengths (Korn and Graubard
 * 1998); no more than their number, which bounds the whole and not the design effect alone (Parker
 * et al. 2017): independent traces would otherwise pay for few sessions twice. The same standard
 * trusts no spread of less than eight degrees of freedom: there the design effect is at least 1.
 * Where no value lies above or none at or below, a session counts as one.
 */
export function worthAt(
  values: Float64Array,
  q: number,
  { clusters, confidence }: { clusters: Clusters | undefined; confidence: number },
): Worth {
  const n = values.length;
  if (!clusters) return { sessions: undefined, designEffect: 1, traces: n };
  const sizes = clusterSizes(clusters);
  const effect = effectAbove(values, q, clusters, sizes);
  const designEffect = Math.max(1, effect);
  const byLength = equalWeights(sizes);
  const told = byLength - 1 < leastFreedom ? designEffect : effect;
  const traces = clusters.count < 2 ? 1 : n * Math.min(1, fewness(n, byLength - 1, confidence) / told);
  return { sessions: clusters.count, byLength, designEffect, traces };
}

const leastFreedom = 8;

function effectAbove(values: Float64Array, q: number, { codes, count }: Clusters, sizes: Float64Array): number {
  const n = values.length;
  const above = new Float64Array(count);
  let all = 0;
  for (let i = 0; i < n; i++) {
    if (values[i]! > q) {
      above[codes[i]!]! += 1;
      all++;
    }
  }
  const share = all / n;
  if (all === 0 || all === n) return n / equalWeights(sizes);
  let spread = 0;
  for (let k = 0; k < count; k++) spread += (above[k]! - share * sizes[k]!) ** 2;
  return (count / Math.max(1, count - 1)) * (spread / n / (share * (1 - share)));
}

/**
 * The distribution-free interval of a quantile: the values at the equal-tailed binomial ranks of as
 * many traces as these are worth, at the same share of all. An end is infinite where even the
 * outermost value does not bound it.
 */
export function quantileInterval(sorted: Float64Array, p: number, { traces }: Worth, confidence: number): Interval {
  const n = sorted.length;
  const worth = Math.min(n, Math.floor(traces));
  const { low, high } = quantileRanks(worth, p, confidence);
  const lowest = low === undefined ? -1 : Math.floor(((low - 0.5) / worth) * n - 0.5);
  const highest = high === undefined ? n : Math.ceil((high / worth) * n) - 1;
  return {
    low: lowest < 0 ? Number.NEGATIVE_INFINITY : sorted[lowest]!,
    high: highest >= n ? Number.POSITIVE_INFINITY : sorted[highest]!,
  };
}

/** How many sessions like these would be worth `traces`. */
export function sessionsWorth(
  traces: number,
  found: { n: number; sessions: number; byLength?: number | undefined; designEffect: number },
  confidence: number,
): number {
  const { n, sessions, byLength = sessions, designEffect } = found;
  const enough = (count: number) => {
    const times = count / sessions;
    return ((times * n) / designEffect) * fewness(times * n, times * byLength - 1, confidence) >= traces;
  };
  return firstTrue(2, mostSessions, enough);
}

/** More sessions than anybody has. */
const mostSessions = 1e9;
