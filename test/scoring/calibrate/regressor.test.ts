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

it.each([1, 5, 6, 7, 40])('%d trees of any shape sum their leaves as a plain loop does, to the last bit', (count) => {
  const number = fc.float({ min: -2, max: 2, noNaN: true });
  const inputs = fc.array(fc.oneof(number, fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -0)), {
    minLength: 4,
    maxLength: 4,
  });
  fc.assert(
    fc.property(fc.array(someTree, { minLength: count, maxLength: count }), number, inputs, (grown, base, values) => {
      const model: Regressor & { kind: 'trees' } = { ...noTrees(), base };
      for (const tree of grown) model.roots.push(plant(model, tree));
      const plain = grown.reduce((sum, tree) => sum + leafOf(tree, values), base);
      expect(predictor(model, nothing)(Float32Array.from(values), 0)).toBe(plain);
    }),
    { seed: 9, numRuns: 50 },
  );
});

it.each([
  ['16384 inputs; allowed: 16383', split(16_383)],
  ['8191 nodes in one half of a tree; allowed: 8190', chain(4096)],
])('trees that cannot be counted are refused: %s', (message, model) => {
  expect(() => predictor(model, nothing)).toThrow(`the calibration has ${message}`);
});

type Tree = { value: number } | { feature: number; threshold: number; left: Tree; right: Tree };

const { tree: someTree } = fc.letrec<{ tree: Tree; leaf: Tree; inner: Tree }>((tie) => ({
  tree: fc.oneof({ maxDepth: 7 }, tie('leaf'), tie('inner'), tie('inner')),
  leaf: fc.record({ value: fc.float({ min: -1, max: 1, noNaN: true }) }),
  inner: fc.record({
    feature: fc.nat(3),
    threshold: fc.float({ min: -2, max: 2, noNaN: true }),
    left: tie('tree'),
    right: tie('tree'),
  }),
}));

function noTrees(): Regressor & { kind: 'trees' } {
  return { kind: 'trees', base: 0, roots: [], feature: [], threshold: [], left: [], right: [], value: [] };
}

/** Adds a tree to the tables, children before their parent; returns its node. */
function plant(model: Regressor & { kind: 'trees' }, tree: Tree): number {
  const [left, right] = 'value' in tree ? [0, 0] : [plant(model, tree.left), plant(model, tree.right)];
  model.left.push(left);
  model.right.push(right);
  model.feature.push('value' in tree ? -1 : tree.feature);
  model.threshold.push('value' in tree ? 0 : tree.threshold);
  return model.value.push('value' in tree ? tree.value : 0) - 1;
}

function leafOf(tree: Tree, values: readonly number[]): number {
  if ('value' in tree) return tree.value;
  return leafOf(values[tree.feature]! <= tree.threshold ? tree.left : tree.right, values);
}

function split(feature: number): Regressor & { kind: 'trees' } {
  const model = noTrees();
  model.roots.push(plant(model, { feature, threshold: 0, left: { value: 0 }, right: { value: 1 } }));
  return model;
}

/** A tree whose left half is a chain of so many splits. */
function chain(splits: number): Regressor & { kind: 'trees' } {
  const model = noTrees();
  let tree = plant(model, { value: 1 });
  for (let split = 0; split <= splits; split++) {
    const leaf = plant(model, { value: 0 });
    model.left.push(tree);
    model.right.push(leaf);
    model.feature.push(0);
    model.threshold.push(0);
    tree = model.value.push(0) - 1;
  }
  model.roots.push(tree);
  return model;
}
