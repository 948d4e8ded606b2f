import type { Known, Layers, Predict } from './regressor-schema.ts';

/** Standardised inputs end here on either side. */
const mostDeviations = 5;

/**
 * A small network of the calibration. The first layer's part of the known inputs is added as one
 * number an output.
 */
export function perceptronPredictor(model: Layers, { from, cases }: Known): Predict {
  const mean = Float64Array.from(model.mean);
  const perDeviation = Float64Array.from(model.deviation, (deviation) => 1 / deviation);
  const inputs = mean.length;
  const knownInputs = Math.min(inputs - from, cases[0]!.length);
  const [first, ...rest] = model.layers as [Layers['layers'][number], ...Layers['layers']];
  const isKnown = (i: number) => i >= from && i < from + knownInputs;
  const open = Array.from({ length: inputs }, (_, i) => i).filter((i) => !isKnown(i));
  const place = Int32Array.from(open);
  const standard = new Float64Array(open.length);
  const standardised = (value: number, i: number): number =>
    Math.min(mostDeviations, Math.max(-mostDeviations, (value - mean[i]!) * perDeviation[i]!));
  const outputs = first.bias.length;
  const starts = cases.map((values) =>
    Float64Array.from(first.bias, (bias, o) => {
      let total = bias;
      for (let i = 0; i < knownInputs; i++) {
        total += first.weight[o * inputs + from + i]! * standardised(values[i]!, from + i);
      }
      return total;
    }),
  );
  const openWeights = Float64Array.from(
    { length: outputs * open.length },
    (_, at) => first.weight[Math.floor(at / open.length) * inputs + open[at % open.length]!]!,
  );
  const hidden = new Float64Array(outputs);
  const steps = rest.map(({ weight, bias }) => ({
    weight: Float64Array.from(weight),
    bias: Float64Array.from(bias),
    output: new Float64Array(bias.length),
  }));
  return (input, which) => {
    for (let k = 0; k < standard.length; k++) standard[k] = standardised(input[place[k]!]!, place[k]!);
    multiply(openWeights, standard, starts[which]!, hidden);
    let values = hidden;
    for (const { weight, bias, output } of steps) {
      for (let o = 0; o < values.length; o++) values[o] = Math.max(0, values[o]!);
      multiply(weight, values, bias, output);
      values = output;
    }
    return values[0]!;
  };
}

/**
 * output = start + matrix x values, four rows at a time: they share each value, and none waits for
 * another's addition.
 */
function multiply(matrix: Float64Array, values: Float64Array, start: Float64Array, output: Float64Array): void {
  const width = values.length;
  const whole = output.length & ~3;
  for (let row = 0; row < whole; row += 4) {
    let [s0, s1, s2, s3] = [start[row]!, start[row + 1]!, start[row + 2]!, start[row + 3]!];
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
    let sum = start[row]!;
    for (let i = 0; i < width; i++) sum += matrix[row * width + i]! * values[i]!;
    output[row] = sum;
  }
}
