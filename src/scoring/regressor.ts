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
      for (let o = 0; o < bias.length; o++) {
        const total = bias[o]! + dot(weight, o * values.length, values);
        output[o] = last ? total : Math.max(0, total);
      }
      values = output;
    }
    return values[0]!;
  };
}

/** Sum of row[start + i] * values[i], as four sums, because one would wait for each addition before the next. */
function dot(row: Float64Array, start: number, values: Float64Array): number {
  const whole = values.length & ~3;
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    s0 += row[start + i]! * values[i]!;
    s1 += row[start + i + 1]! * values[i + 1]!;
    s2 += row[start + i + 2]! * values[i + 2]!;
    s3 += row[start + i + 3]! * values[i + 3]!;
  }
  for (let i = whole; i < values.length; i++) s0 += row[start + i]! * values[i]!;
  return s0 + s1 + (s2 + s3);
}
