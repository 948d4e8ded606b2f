import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { choleskyOf, correlationMatrix } from '../../../src/budget/file/correlation.ts';

describe('correlations', () => {
  it('have a factor whose product they are', () => {
    const matrix = correlationMatrix(['a', 'b', 'c'], [{ between: ['a', 'c'], value: 0.6 }]);
    expect(matrix).toEqual([
      [1, 0, 0.6],
      [0, 1, 0],
      [0.6, 0, 1],
    ]);
    const lower = choleskyOf(matrix)!;
    const product = lower.map((row) => lower.map((other) => row.reduce((sum, value, k) => sum + value * other[k]!, 0)));
    matrix.forEach((row, i) => {
      row.forEach((value, j) => {
        expect(product[i]![j]).toBeCloseTo(value, 12);
      });
    });
  });

  it.each([
    ['all full', 1, true],
    ['opposites of two', -1, false],
    ['none', 0, true],
  ])('%s can be: %s', (_name, rho, possible) =>
    expect(choleskyOf(correlationMatrix(['a', 'b', 'c'], rho)) !== undefined).toBe(possible),
  );

  it.each([
    [
      'all full',
      1,
      [
        [1, 0, 0],
        [1, 0, 0],
        [1, 0, 0],
      ],
    ],
    [
      'none',
      0,
      [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
    ],
    [
      'a half',
      0.5,
      [
        [1, 0, 0],
        [0.5, Math.sqrt(0.75), 0],
        [0.5, 0.25 / Math.sqrt(0.75), Math.sqrt(2 / 3)],
      ],
    ],
    [
      'the least that three may share',
      -0.5,
      [
        [1, 0, 0],
        [-0.5, Math.sqrt(0.75), 0],
        [-0.5, -Math.sqrt(0.75), 0],
      ],
    ],
  ])('%s: one number stands between every two stages', (_name, rho, lower) => {
    expect(correlationMatrix(['a', 'b', 'c'], rho)).toEqual([
      [1, rho, rho],
      [rho, 1, rho],
      [rho, rho, 1],
    ]);
    const found = choleskyOf(correlationMatrix(['a', 'b', 'c'], rho))!;
    found.forEach((row, i) => {
      row.forEach((value, j) => {
        expect(value).toBeCloseTo(lower[i]![j]!, 5);
      });
    });
  });

  it.each([
    [
      'a is like b and c, which have nothing in common',
      [
        ['a', 'b', 1],
        ['b', 'c', 0],
        ['a', 'c', 1],
      ],
    ],
    [
      'a is like b and c, which are opposites',
      [
        ['a', 'b', 0.9],
        ['b', 'c', -0.9],
        ['a', 'c', 0.9],
      ],
    ],
  ])('contradict one another where %s', (_name, all) =>
    expect(
      choleskyOf(
        correlationMatrix(
          ['a', 'b', 'c'],
          all.map(([one, other, value]) => ({ between: [String(one), String(other)] as const, value: Number(value) })),
        ),
      ),
    ).toBeUndefined(),
  );

  it('that only rounding keeps from fitting are taken as if they did', () => {
    const close = (excess: number) =>
      choleskyOf([
        [1, 1 + excess],
        [1 + excess, 1],
      ]);
    expect(close(4e-11)).toEqual([
      [1, 0],
      [1 + 4e-11, 0],
    ]);
    expect(close(1e-9)).toBeUndefined();
    expect(
      choleskyOf([
        [0, 9e-6],
        [9e-6, 1],
      ]),
    ).toEqual([
      [0, 0],
      [0, 1],
    ]);
    expect(
      choleskyOf([
        [0, 2e-5],
        [2e-5, 1],
      ]),
    ).toBeUndefined();
    expect(
      choleskyOf([
        [0, -2e-5],
        [-2e-5, 1],
      ]),
    ).toBeUndefined();
    expect(choleskyOf([[-2e-10]])).toBeUndefined();
    expect(
      choleskyOf([
        [4e-10, 1e-6],
        [1e-6, 1],
      ])?.[1]?.[0],
    ).toBeCloseTo(0.05, 9);
  });

  it('that are found are those of the two stages, in either order, and 0 for a pair that is not named', () =>
    expect(
      correlationMatrix(
        ['a', 'b', 'c'],
        [
          { between: ['b', 'a'], value: -0.3 },
          { between: ['b', 'c'], value: 0.2 },
        ],
      ),
    ).toEqual([
      [1, -0.3, 0],
      [-0.3, 1, 0.2],
      [0, 0.2, 1],
    ]));

  it('of any factor have a factor again, whose product they are', () =>
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 }), {
          minLength: 4,
          maxLength: 4,
        }),
        (rows) => {
          const units = rows.map((row, i) => unit(row.map((value, k) => value + (k === i ? 5 : 0))));
          const matrix = units.map((a) => units.map((b) => dot(a, b)));
          const lower = choleskyOf(matrix)!;
          matrix.forEach((row, i) => {
            row.forEach((value, j) => {
              expect(dot(lower[i]!, lower[j]!)).toBeCloseTo(value, 9);
            });
            expect(lower[i]!.slice(i + 1).every((value) => value === 0)).toBe(true);
          });
        },
      ),
    ));
});

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, k) => sum + value * b[k]!, 0);
}

function unit(row: readonly number[]): number[] {
  const length = Math.sqrt(dot(row, row));
  return row.map((value) => value / length);
}
