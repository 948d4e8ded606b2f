import fc from 'fast-check';
import { expect, it } from 'vitest';
import { predictor } from '../../../src/scoring/calibrate/regressor.ts';
import type { Regressor } from '../../../src/scoring/calibrate/regressor-schema.ts';

/** No input is known. */
const nothing = { from: 0, cases: [new Float32Array(0)] };

const trees: Regressor = {
  kind: 'trees',
  base: 1,
  roots: [0, 3],
  feature: [0, -1, -1, 1, -1, -1],
  threshold: [0.5, 0, 0, 2, 0, 0],
  left: [1, 0, 0, 4, 0, 0],
  right: [2, 0, 0, 5, 0, 0],
  value: [0, 0.25, -0.25, 0, 0.5, -0.5],
};

const layers: Regressor = {
  kind: 'layers',
  mean: [1, 0],
  deviation: [2, 1],
  layers: [
    { weight: [1, 0, -1, 1], bias: [0, 0.5] },
    { weight: [2, 3], bias: [-1] },
  ],
};

it.each([
  [[0, 0], 1.75],
  [[0.5, 2], 1.75],
  [[0.6, 2], 1.25],
  [[0.6, 3], 0.25],
])('trees of %j sum their leaves to %d', (input, value) => {
  expect(predictor(trees, nothing)(Float32Array.from(input), 0)).toBeCloseTo(value, 6);
});

it.each([
  // (3 - 1) / 2 = 1: hidden relu(1), relu(-1 + 0 + .5) = 1, 0
  [[3, 0], 2 - 1],
  // -1, 1: relu(-1), relu(1 + 1 + .5) = 0, 2.5
  [[-1, 1], 7.5 - 1],
  // Standardised inputs end at 5 and -5: 5, -5 gives 5, 0.
  [[1000, -1000], 10 - 1],
])('layers of %j give %d', (input, value) => {
  expect(predictor(layers, nothing)(Float32Array.from(input), 0)).toBeCloseTo(value, 6);
});

it('a sum weighs its parts', () => {
  const sum: Regressor = {
    kind: 'sum',
    of: [
      { weight: 0.5, model: trees },
      { weight: 2, model: layers },
    ],
  };
  expect(predictor(sum, nothing)(Float32Array.from([3, 0]), 0)).toBeCloseTo(0.5 * 1.25 + 2 * 1, 6);
});

it('knows beforehand what follows from known inputs', () => {
  const cases = [Float32Array.from([0.4]), Float32Array.from([3])];
  const value = fc.float({ min: -4, max: 4, noNaN: true });
  fc.assert(
    fc.property(value, fc.constantFrom(0, 1), fc.constantFrom(trees, layers), (other, which, model) => {
      for (const from of [0, 1]) {
        const input = from === 0 ? [cases[which]![0]!, other] : [other, cases[which]![0]!];
        const open = from === 0 ? [Number.NaN, other] : [other, Number.NaN];
        const plain = predictor(model, nothing)(Float32Array.from(input), 0);
        expect(predictor(model, { from, cases })(Float32Array.from(open), which)).toBeCloseTo(plain, 5);
      }
    }),
    { seed: 5 },
  );
});
