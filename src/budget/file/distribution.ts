import { normalQuantile } from '../../stats/distributions.ts';
import { quantileOfSorted } from '../../stats/quantile.ts';

/** What a budget may declare of a stage that nobody has measured yet, ms. */
export type DeclaredDistribution =
  | { kind: 'lognormal'; p50Ms: number; p95Ms: number }
  | { kind: 'normal'; meanMs: number; sdMs: number }
  | { kind: 'constant'; ms: number }
  /** Measured values; sorted ascending. */
  | { kind: 'empirical'; sortedMs: readonly number[] };

/**
 * The stage's time at the standard normal `z`: its quantile at P(Z <= z), so that correlated
 * normals become correlated stages. A lognormal through p50 and p95 has mu = ln p50 and sigma =
 * ln(p95 / p50) / 1.6449.
 */
export function timeAt(distribution: DeclaredDistribution, z: number, chanceBelow: (z: number) => number): number {
  switch (distribution.kind) {
    case 'lognormal':
      return distribution.p50Ms * (distribution.p95Ms / distribution.p50Ms) ** (z / z95);
    case 'normal':
      return distribution.meanMs + z * distribution.sdMs;
    case 'constant':
      return distribution.ms;
    case 'empirical':
      return quantileOfSorted(distribution.sortedMs, chanceBelow(z));
  }
}

const z95 = normalQuantile(0.95);
