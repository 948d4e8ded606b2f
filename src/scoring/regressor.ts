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
  const mean = Float64Array.from(model.mean);
  const deviation = Float64Array.from(model.deviation);
  const standard = new Float64Array(mean.length);
  const steps = model.layers.map(({ weight, bias }) => ({
    weight: Float64Array.from(weight),
    bias: Float64Array.from(bias),
    output: new Float64Array(bias.length),
  }));
  return (input) => {
    for (let i = 0; i < standard.length; i++) {
      standard[i] = Math.min(5, Math.max(-5, (input[i]! - mean[i]!) / deviation[i]!));
    }
    let values = standard;
    for (let at = 0; at < steps.length; at++) {
      const { weight, bias, output } = steps[at]!;
      const last = at === steps.length - 1;
      multiply(weight, values, output);
      for (let o = 0; o < bias.length; o++) {
        const total = bias[o]! + output[o]!;
        output[o] = last ? total : Math.max(0, total);
      }
      values = output;
    }
    return values[0]!;
  };
}

/** output = matrix x values, four rows at a time: they share each value, and none waits for another's addition. */
function multiply(matrix: Float64Array, values: Float64Array, output: Float64Array): void {
  const width = values.length;
  const whole = output.length & ~3;
  for (let row = 0; row < whole; row += 4) {
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    const [r0, r1, r2, r3] = [row * width, (row + 1) * width, (row + 2) * width, (row + 3) * width];
    for (let i = 0; i < width; i++) {
      const value = values[i]!;
      s0 += matrix[r0 + i]! * value;
      s1 += matrix[r1 + i]! * value;
      s2 += matrix[r2 + i]! * value;
      s3 += matrix[r3 + i]! * value;
    }
    output[row] = s0;
    output[row + 1] = s1;
    output[row + 2] = s2;
    output[row + 3] = s3;
  }
  for (let row = whole; row < output.length; row++) {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += matrix[row * width + i]! * values[i]!;
    output[row] = sum;
  }
}
