import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockRows, createMatrixKernel } from '../../../src/scoring/calibrate/matrix-kernel.ts';

describe('the matrix kernel', () => {
  it.each([
    [1, 1],
    [2, 1],
    [94, 6],
    [8191, 1],
  ])('sums %d values in %d blocks of rows as a plain loop does, to the last bit', (width, blocks) => {
    const rows = blocks * blockRows;
    const number = fc.oneof(fc.double(), fc.constantFrom(0, -0, 1e308, 5e-324), fc.double({ min: -5, max: 5 }));
    const kernel = createMatrixKernel(width * rows + width + 2 * rows);
    const places = {
      matrix: 0,
      values: width * rows,
      start: width * rows + width,
      output: width * rows + width + rows,
    };
    const [someValues, someRows] = [width, rows].map((length) =>
      fc.array(number, { minLength: length, maxLength: length }),
    );
    fc.assert(
      fc.property(someValues!, someRows!, fc.integer(), (values, start, seed) => {
        const { memory } = kernel;
        for (let at = 0; at < width * rows; at++) memory[at] = Math.sin(seed + at);
        memory.set(values, places.values);
        memory.set(start, places.start);
        const [matrixAt, valuesAt, startAt, outputAt] = Object.values(places).map((place) => 8 * place);
        kernel.multiply(matrixAt!, valuesAt!, startAt!, startAt!, outputAt!, outputAt! + 8 * rows);
        expect([...memory.subarray(places.output)].slice(0, rows)).toEqual(
          start.map((first, row) => plainSum(memory, { first, row, width, values })),
        );
      }),
      { numRuns: width > 1000 ? 3 : 100, seed: 7 },
    );
  });
});

function plainSum(
  memory: Float64Array,
  { first, row, width, values }: { first: number; row: number; width: number; values: readonly number[] },
): number {
  const block = Math.floor(row / blockRows) * blockRows * width;
  let sum = first;
  for (let i = 0; i < width; i++) sum += memory[block + i * blockRows + (row % blockRows)]! * values[i]!;
  return sum;
}
