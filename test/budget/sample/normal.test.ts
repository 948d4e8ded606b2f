import { describe, expect, it } from 'vitest';
import { budgetOf, latencyBudget } from '../../../src/budget/file/schema.ts';
import { changeNormal, decomposeNormal, normalModelOf } from '../../../src/budget/sample/normal.ts';

const model = {
  stages: [
    { name: 'a', meanMs: 10, sdMs: 3 },
    { name: 'b', meanMs: 20, sdMs: 4 },
  ],
  correlation: [
    [1, 0],
    [0, 1],
  ],
};
const budgetWith = (distributions: (object | undefined)[], correlation: unknown = 0) =>
  budgetOf(
    latencyBudget.parse({
      kind: 'LatencyBudget',
      spec: {
        objective: { percentile: 95, value: '0ms' },
        stages: distributions.map((distribution, i) => ({ name: `s${i}`, budget: '0ms', distribution })),
        correlation,
      },
    }),
  );

describe('a normal model', () => {
  it.each([
    [0.5, 0, 30, [10, 20]],
    [0.841344746068543, 0, 35, [10 + 9 / 5, 20 + 16 / 5]],
    [0.841344746068543, 1, 37, [13, 24]],
    [0.841344746068543, -1, 31, [7, 24]],
    [0.15865525393145707, 0, 25, [10 - 9 / 5, 20 - 16 / 5]],
  ])('at %f, correlated by %i, sums to %f', (p, rho, value, shares) => {
    const correlation = [
      [1, rho],
      [rho, 1],
    ];
    const found = decomposeNormal({ ...model, correlation }, p);
    expect(found.valueMs).toBeCloseTo(value, 6);
    shares.forEach((share, i) => {
      expect(found.shares[i]).toBeCloseTo(share, 6);
    });
  });

  it('of constants has them for shares', () => {
    const stages = model.stages.map((each) => ({ ...each, sdMs: 0 }));
    expect(decomposeNormal({ ...model, stages }, 0.99)).toEqual({ valueMs: 30, shares: [10, 20] });
  });

  it('is one of a budget of normals and constants', () => {
    const normal = { mean: '10ms', sd: '3ms' };
    expect(normalModelOf(budgetWith([normal, { constant: '5ms' }], 0.5))).toEqual({
      stages: [
        { name: 's0', meanMs: 10, sdMs: 3 },
        { name: 's1', meanMs: 5, sdMs: 0 },
      ],
      correlation: [
        [1, 0.5],
        [0.5, 1],
      ],
    });
    expect(normalModelOf(budgetWith([normal, { empirical: ['5ms'] }]))).toBeUndefined();
    expect(normalModelOf(budgetWith([{ p50: '1ms', p95: '2ms' }, normal]))).toBeUndefined();
    expect(normalModelOf(budgetWith([undefined]))).toBeUndefined();
  });

  it.each([
    ['a shift', [{ stage: 'b', kind: 'shift', byMs: -5 }], [10, 3, 15, 4]],
    ['a scale', [{ stage: 'a', kind: 'scale', factor: 2 }], [20, 6, 20, 4]],
    ['a removal', [{ stage: 'a', kind: 'remove' }], [0, 0, 20, 4]],
    [
      'one after the other',
      [
        { stage: 'a', kind: 'shift', byMs: 5 },
        { stage: 'b', kind: 'remove' },
        { stage: 'a', kind: 'scale', factor: 3 },
      ],
      [45, 9, 0, 0],
    ],
    ['nothing', [], [10, 3, 20, 4]],
  ] as const)('stays one after %s', (_name, changes, numbers) => {
    const changed = changeNormal(model, changes)!;
    expect(changed.stages.flatMap(({ meanMs, sdMs }) => [meanMs, sdMs])).toEqual(numbers);
    expect(changed.stages.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(changed.correlation).toBe(model.correlation);
  });

  it('is none after a cap, wherever it stands', () =>
    expect(
      changeNormal(model, [
        { stage: 'a', kind: 'remove' },
        { stage: 'b', kind: 'cap', atMs: 5 },
      ]),
    ).toBeUndefined());
});
