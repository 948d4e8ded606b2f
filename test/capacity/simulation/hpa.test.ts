import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createGovernor,
  defaultScaleDown,
  defaultScaleUp,
  replicasByTotal,
  replicasByUsage,
  replicasByValue,
  type ScalingRules,
} from '../../../src/capacity/simulation/hpa.ts';

const usual = { up: defaultScaleUp, down: defaultScaleDown };

describe('how many replicas the HPA wants', () => {
  it.each([
    ['fifty pods at 90 of 75 become sixty', { pods: 50, ready: 50, usage: 50 * 90, target: 75 }, 60],
    ['within a tenth of the target nothing happens', { pods: 50, ready: 50, usage: 50 * 82, target: 75 }, 50],
    ['a tenth above is still within', { pods: 10, ready: 10, usage: 10 * 110, target: 100 }, 10],
    ['a third of the target keeps a third', { pods: 30, ready: 30, usage: 30 * 25, target: 75 }, 10],
    ['pods on their way count as idle: no second order', { pods: 20, ready: 10, usage: 10 * 100, target: 75 }, 20],
    ['but a doubled load orders more than is on its way', { pods: 12, ready: 10, usage: 10 * 150, target: 75 }, 20],
    ['pods on their way do not slow the way down', { pods: 12, ready: 10, usage: 10 * 30, target: 75 }, 4],
    ['without a ready pod there is nothing to read', { pods: 7, ready: 0, usage: 0, target: 75 }, 7],
  ])('%s', (_, usage, expected) => expect(replicasByUsage({ ...usage, tolerance: 0.1 })).toBe(expected));

  it.each([
    ['three ready', { pods: 3, ready: 3, usage: 300 + 500 + 700, target: 300 }, 5],
    ['two of three ready', { pods: 3, ready: 2, usage: 500 + 700, target: 300 }, 4],
    ['one of three ready', { pods: 3, ready: 1, usage: 400, target: 300 }, 3],
    ['down with all ready', { pods: 5, ready: 5, usage: 100 + 300 + 500 + 250 + 250, target: 500 }, 3],
    ['down with two unready', { pods: 5, ready: 3, usage: 100 + 300 + 500, target: 500 }, 2],
  ])("as Kubernetes' own tests (replica_calculator_test.go) have it: %s", (_, usage, expected) =>
    expect(replicasByUsage({ ...usage, tolerance: 0.1 })).toBe(expected),
  );

  it.each([
    ['every slot taken of 77 % wanted', { pods: 88, ready: 88, usage: 88, target: 0.77 }, 115],
    [
      'those on their way are no ready pods, so nothing is ordered twice',
      { pods: 115, ready: 88, usage: 88, target: 0.77 },
      115,
    ],
    [
      'within a tenth of the target it keeps what there is, ready or not',
      { pods: 115, ready: 88, usage: 70, target: 0.77 },
      115,
    ],
    ['down by the ready alone', { pods: 12, ready: 10, usage: 4, target: 0.8 }, 5],
    ['no ready pod, no slot, no metric: nothing happens', { pods: 7, ready: 0, usage: 0, target: 0.8 }, 7],
  ])('by the value of an external metric: %s', (_, usage, expected) =>
    expect(replicasByValue({ ...usage, tolerance: 0.1 })).toBe(expected),
  );

  it.each([
    ['one pod at 8600 of 4400', { pods: 1, ready: 1, usage: 8600, target: 4400 }, 2],
    ['five pods at 8600 of 14334', { pods: 5, ready: 5, usage: 5 * 8600, target: 14_334 }, 3],
  ])("an external value as Kubernetes' own tests have it: %s", (_, usage, expected) =>
    expect(replicasByValue({ ...usage, tolerance: 0.1 })).toBe(expected),
  );

  it.each([
    ['three pods, 8600 at 2150 a pod', 3, 8600, 2150, 4],
    ['five pods, 8600 at 2867 a pod', 5, 8600, 2867, 3],
  ])("an external average as Kubernetes' own tests have it: %s", (_, pods, total, target, expected) =>
    expect(replicasByTotal(pods, total, target, 0.1)).toBe(expected),
  );

  it.each([
    ['a queue of 95 at 10 a pod', 4, 95, 10],
    ['within a tenth of what there is: nothing', 9, 95, 9],
    ['from none to some', 0, 5, 1],
    ['an empty queue needs none', 4, 0, 0],
  ])('by a total: %s', (_, pods, total, expected) => expect(replicasByTotal(pods, total, 10, 0.1)).toBe(expected));
});

describe('how fast the HPA gets there', () => {
  /** Replicas after each sync of 15 s, when it always wants the same. */
  function climb(from: number, wants: readonly number[], limits: Partial<Parameters<typeof createGovernor>[0]> = {}) {
    const govern = createGovernor({ min: 1, max: 100, ...usual, ...limits });
    let pods = from;
    return wants.map((want, sync) => (pods = govern(sync * 15_000, pods, want)));
  }

  it.each([
    ['from 4 up to 30 it doubles', 4, [30, 30, 30, 30], [8, 16, 30, 30]],
    ['from 1 it adds four, because a doubling is less', 1, [30, 30, 30, 30], [5, 10, 20, 30]],
    ['one order never passes the largest allowed', 60, [300, 300], [100, 100]],
    ['more than allowed is cut at once', 120, [120], [100]],
    ['fewer than allowed is filled at once', 0, [0], [1]],
  ])('%s', (_, from, wants, expected) => expect(climb(from, wants)).toEqual(expected));

  it('goes down only when the most of five minutes is down', () => {
    const wants = [20, ...Array<number>(22).fill(5)];
    const pods = climb(20, wants);
    // The last recommendation of 20 is made at 0 s and forgotten when it is 300 s old, at the 20th sync.
    expect(pods.slice(0, 20)).toEqual(Array(20).fill(20));
    expect(pods.slice(20)).toEqual([5, 5, 5]);
  });

  const slow = (more: Partial<ScalingRules>): ScalingRules => ({ ...defaultScaleDown, stabilizationMs: 0, ...more });

  it.each([
    ['a tenth a minute', slow({ policies: [{ type: 'percent', value: 10, periodMs: 60_000 }] }), [90, 90, 90, 90, 81]],
    ['two pods each 30 s', slow({ policies: [{ type: 'pods', value: 2, periodMs: 30_000 }] }), [98, 98, 96, 96, 94]],
    ['never', slow({ select: 'disabled' }), [100, 100, 100, 100, 100]],
    [
      'the slower of two',
      slow({
        select: 'min',
        policies: [
          { type: 'pods', value: 1, periodMs: 15_000 },
          { type: 'percent', value: 50, periodMs: 15_000 },
        ],
      }),
      [99, 98, 97, 96, 95],
    ],
  ])('down by policy: %s', (_, down, expected) => expect(climb(100, [1, 1, 1, 1, 1], { down })).toEqual(expected));

  const percent = (value: number, periodMs: number) => ({ type: 'percent', value, periodMs }) as const;
  const upBy = (more: Partial<ScalingRules>) => ({ up: { ...defaultScaleUp, ...more } });
  const downBy = (more: Partial<ScalingRules>) => ({ down: slow(more) });

  // Worked through horizontal.go by hand: stabilizeRecommendationWithBehaviors, convertDesiredReplicasWithBehaviorRate.
  it.each<[string, number, number[], number[], Partial<Parameters<typeof createGovernor>[0]>]>([
    ['no window down is no window: what is wanted now', 11, [11, 9, 12, 8], [11, 9, 12, 8], downBy({})],
    [
      'what it finds counts as the first recommendation',
      11,
      [4, 4, 4, 4, 4],
      [11, 11, 11, 11, 4],
      downBy({ stabilizationMs: 60_000 }),
    ],
    ['a window up takes the least of it', 4, [9, 9, 9, 9], [4, 4, 8, 9], upBy({ stabilizationMs: 30_000 })],
    [
      'both windows hold what moves to and fro',
      10,
      [20, 5, 20, 5],
      [10, 10, 10, 10],
      { ...upBy({ stabilizationMs: 60_000 }), ...downBy({ stabilizationMs: 60_000 }) },
    ],
    ['700 % of 3 are 24 (TestUpscaleCap)', 3, [60], [24], upBy({ policies: [percent(700, 60_000)] })],
    [
      'and 20 where 20 are the most (TestUpscaleCapGreaterThanMaxReplicas)',
      3,
      [60],
      [20],
      { ...upBy({ policies: [percent(700, 60_000)] }), max: 20 },
    ],
    [
      'a policy counts from the begin of its period',
      5,
      [99, 99, 99, 99, 99],
      [10, 10, 10, 10, 20],
      upBy({ policies: [percent(100, 60_000)] }),
    ],
    [
      'and counts what came in it as not there',
      10,
      [14, 5],
      [14, 8],
      downBy({ policies: [{ type: 'pods', value: 2, periodMs: 60_000 }] }),
    ],
    ['a share up is rounded up, so that it moves at all', 3, [9, 9], [4, 5], upBy({ policies: [percent(10, 15_000)] })],
    ['a share down is rounded down', 3, [1, 1], [2, 1], downBy({ policies: [percent(10, 15_000)] })],
    ['more than the most is cut whatever the window says', 120, [120, 120], [100, 100], {}],
  ])("as the controller's arithmetic has it: %s", (_, from, wants, expected, limits) =>
    expect(climb(from, wants, limits)).toEqual(expected),
  );

  it('waits before it goes up when told to', () => {
    const up = { ...defaultScaleUp, stabilizationMs: 60_000 };
    expect(climb(10, [10, 20, 20, 20, 20, 20], { up })).toEqual([10, 10, 10, 10, 20, 20]);
  });

  it('never leaves its bounds, whatever it is told', () => {
    const want = fc.integer({ min: 0, max: 10_000 });
    const bounds = fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 0, max: 200 }));
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 500 }),
        fc.array(want, { maxLength: 80 }),
        bounds,
        (from, wants, [min, more]) => {
          for (const pods of climb(from, wants, { min, max: min + more })) {
            expect(pods).toBeGreaterThanOrEqual(min);
            expect(pods).toBeLessThanOrEqual(min + more);
          }
        },
      ),
    );
  });
});
