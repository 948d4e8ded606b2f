import { z } from 'zod';

/** Boosted regression trees as flat tables: node i splits on `feature[i]` at `threshold[i]`, or is a leaf (-1). */
const trees = z.strictObject({
  kind: z.literal('trees'),
  base: z.number(),
  /** First node of each tree. */
  roots: z.array(z.number().int()),
  feature: z.array(z.number().int()),
  /** Goes left when the input is <= this. */
  threshold: z.array(z.number()),
  left: z.array(z.number().int()),
  right: z.array(z.number().int()),
  /** Added to the sum at a leaf. */
  value: z.array(z.number()),
});

/** A small network on standardised inputs, ReLU between layers; `weight` is [outputs][inputs] row by row. */
const layers = z.strictObject({
  kind: z.literal('layers'),
  mean: z.array(z.number()),
  deviation: z.array(z.number()),
  layers: z.array(z.strictObject({ weight: z.array(z.number()), bias: z.array(z.number()) })),
});

/** The weighted sum of several. */
const sum = z.strictObject({
  kind: z.literal('sum'),
  of: z.array(z.strictObject({ weight: z.number(), model: z.discriminatedUnion('kind', [trees, layers]) })).min(1),
});

export const regressor = z.discriminatedUnion('kind', [trees, layers, sum]);
export type Regressor = z.infer<typeof regressor>;

/** The regressor as a function of its inputs. */
export function predictor(model: Regressor): (input: Float32Array) => number {
  switch (model.kind) {
    case 'trees':
      return treesPredictor(model);
    case 'layers':
      return layersPredictor(model);
    case 'sum': {
      const parts = model.of.map((part) => ({ weight: part.weight, predict: predictor(part.model) }));
      return (input) => parts.reduce((total, part) => total + part.weight * part.predict(input), 0);
    }
  }
}

function treesPredictor(model: z.infer<typeof trees>): (input: Float32Array) => number {
  const feature = Int16Array.from(model.feature);
  const threshold = Float32Array.from(model.threshold);
  const left = Int32Array.from(model.left);
  const right = Int32Array.from(model.right);
  const value = Float32Array.from(model.value);
  return (input) => {
    let total = model.base;
    for (const root of model.roots) {
      let node = root;
      while (feature[node]! >= 0) node = input[feature[node]!]! <= threshold[node]! ? left[node]! : right[node]!;
      total += value[node]!;
    }
    return total;
  };
}

function layersPredictor(model: z.infer<typeof layers>): (input: Float32Array) => number {
  const { mean, deviation } = model;
  const steps = model.layers.map(({ weight, bias }) => ({
    weight: Float32Array.from(weight),
    bias: Float32Array.from(bias),
    output: new Float32Array(bias.length),
  }));
  const standard = new Float32Array(mean.length);
  return (input) => {
    for (let i = 0; i < standard.length; i++) {
      standard[i] = Math.min(5, Math.max(-5, (input[i]! - mean[i]!) / deviation[i]!));
    }
    let values: Float32Array = standard;
    for (const [at, { weight, bias, output }] of steps.entries()) {
      const last = at === steps.length - 1;
      for (let o = 0; o < bias.length; o++) {
        let total = bias[o]!;
        const row = o * values.length;
        for (let i = 0; i < values.length; i++) total += weight[row + i]! * values[i]!;
        output[o] = last ? total : Math.max(0, total);
      }
      values = output;
    }
    return values[0]!;
  };
}
