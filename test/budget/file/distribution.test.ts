import { describe, expect, it } from 'vitest';
import { type DeclaredDistribution, timeAt } from '../../../src/budget/file/distribution.ts';
import { normalCdf } from '../../../src/stats/distributions.ts';

describe('a declared distribution at a standard normal', () => {
  it.each<[DeclaredDistribution, number, number]>([
    [{ kind: 'lognormal', p50Ms: 55, p95Ms: 110 }, 0, 55],
    [{ kind: 'lognormal', p50Ms: 55, p95Ms: 110 }, 1.6448536269514722, 110],
    [{ kind: 'normal', meanMs: 170, sdMs: 50 }, 2, 270],
    [{ kind: 'constant', ms: 20 }, 3, 20],
    [{ kind: 'empirical', sortedMs: [1, 2, 3, 4] }, -3, 1],
    [{ kind: 'empirical', sortedMs: [1, 2, 3, 4] }, 0.1, 3],
    [{ kind: 'empirical', sortedMs: [1, 2, 3, 4] }, 8, 4],
  ])('%j at %f is %f', (distribution, z, ms) => expect(timeAt(distribution, z, normalCdf)).toBeCloseTo(ms, 9));
});
