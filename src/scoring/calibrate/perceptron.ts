import { blockRows, createMatrixKernel, type MatrixKernel } from './matrix-kernel.ts';
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
  const openMean = Float64Array.from(open, (i) => mean[i]!);
  const openPerDeviation = Float64Array.from(open, (i) => perDeviation[i]!);
  const standardised = (value: number, i: number): number => clamp((value - mean[i]!) * perDeviation[i]!);
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
  const firstLayer = { weight: openWeights, inputs: open.length, starts };
  const layers = rest.map(({ weight, bias }) => ({ weight, inputs: weight.length / bias.length, starts: [bias] }));
  const network = new Network([firstLayer, ...layers]);
  const standard = network.input;
  return (input, which) => {
    for (let k = 0; k < place.length; k++) {
      standard[k] = clamp((input[place[k]!]! - openMean[k]!) * openPerDeviation[k]!);
    }
    return network.run(which);
  };
}

/** Comparisons: Math.min and Math.max take as long as all else that is done to an input. */
function clamp(deviations: number): number {
  if (deviations > mostDeviations) return mostDeviations;
  return deviations < -mostDeviations ? -mostDeviations : deviations;
}

/** One layer: its rows of weights, and what each row begins with, in one case or several. */
type Layer = { weight: ArrayLike<number>; inputs: number; starts: readonly ArrayLike<number>[] };

/** Layers one behind the other in the memory of one kernel, ReLU between them. */
class Network {
  /** What the first layer takes. */
  readonly input: Float64Array;
  readonly #kernel: MatrixKernel;
  readonly #steps: Step[] = [];
  #used = 0;

  constructor(layers: readonly Layer[]) {
    const rows = layers.map(({ starts }) => paddedRows(starts[0]!.length));
    const needed = layers.map(({ inputs, starts }, at) => (widthOf(inputs) + starts.length + 1) * rows[at]!);
    const width = widthOf(layers[0]!.inputs);
    this.#kernel = createMatrixKernel(needed.reduce((total, doubles) => total + doubles, width));
    let values = this.#take(width);
    this.input = values;
    for (const [at, layer] of layers.entries()) {
      const matrix = this.#take(widthOf(layer.inputs) * rows[at]!);
      fillBlocks(matrix, layer);
      const starts = layer.starts.map((start) => {
        const place = this.#take(rows[at]!);
        place.set(Array.from(start));
        return place.byteOffset;
      });
      const output = this.#take(rows[at]!);
      const valuesEnd = values.byteOffset + 8 * widthOf(layer.inputs);
      this.#steps.push({ matrix: matrix.byteOffset, values, valuesEnd, starts, output });
      values = output;
    }
  }

  /**
   * The first output of the last layer, for the input; `which` case of the first layer's starts.
   */
  run(which: number): number {
    let output = this.input;
    for (let at = 0; at < this.#steps.length; at++) {
      const { matrix, values, valuesEnd, starts, output: next } = this.#steps[at]!;
      if (at > 0) for (let i = 0; i < values.length; i++) if (values[i]! < 0) values[i] = 0;
      const start = starts[at === 0 ? which : 0]!;
      const end = next.byteOffset + next.byteLength;
      this.#kernel.multiply(matrix, values.byteOffset, valuesEnd, start, next.byteOffset, end);
      output = next;
    }
    return output[0]!;
  }

  #take(doubles: number): Float64Array {
    const taken = this.#kernel.memory.subarray(this.#used, this.#used + doubles);
    this.#used += doubles;
    return taken;
  }
}

type Step = {
  matrix: number;
  values: Float64Array;
  valuesEnd: number;
  starts: readonly number[];
  output: Float64Array;
};

/** The kernel takes at least one value: a layer without any gets one that counts for nothing. */
function widthOf(inputs: number): number {
  return Math.max(1, inputs);
}

function paddedRows(rows: number): number {
  return Math.ceil(rows / blockRows) * blockRows;
}

/** Puts rows of weights where the kernel expects them. */
function fillBlocks(matrix: Float64Array, { weight, inputs, starts }: Layer): void {
  const width = widthOf(inputs);
  for (let row = 0; row < starts[0]!.length; row++) {
    const block = Math.floor(row / blockRows) * blockRows * width;
    for (let i = 0; i < inputs; i++) matrix[block + i * blockRows + (row % blockRows)] = weight[row * inputs + i]!;
  }
}
