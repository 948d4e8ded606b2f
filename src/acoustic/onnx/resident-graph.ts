import { bytesField, fieldsOf, joined, numberField } from './protobuf.ts';

type State = { input: string; output: string; shape: readonly number[] };

/** Inputs that a network with resident states has beside its own. */
export const rowsInput = 'speechfb/rows';
export const keepInput = 'speechfb/keep';

/** The input or output that has all streams' rows of a state, by the name that the state had. */
export function allRowsOf(name: string): string {
  return `${name}/all`;
}

/**
 * An ONNX model whose states lie in one tensor each, a row a slot, instead of coming and going with
 * each run: it takes the rows that `speechfb/rows` names (int64 [batch]), times `speechfb/keep`
 * (float32 [batch]: 0 for a stream that begins), and gives the tensor back with the rows replaced.
 * What a run feeds and fetches then need not leave the device. Field numbers are those of
 * onnx.proto. Error: `RangeError` for bytes that are no model.
 */
export function withResidentStates(model: Uint8Array, states: readonly State[]): Uint8Array {
  const parts = [...fieldsOf(model)].map(({ number, body, raw }) =>
    number === modelGraph && body ? bytesField(modelGraph, graphOf(body, states)) : raw,
  );
  return joined(...parts);
}

/** A model that puts `b` under `a`: rows of `shape` each. */
export function appendingModel(shape: readonly number[]): Uint8Array {
  const graph = joined(
    node('Concat', ['a', 'b'], 'c', intAttribute('axis', 0)),
    bytesField(2, 'append'),
    tensorInfo(graphInput, 'a', float32, ['old', ...shape]),
    tensorInfo(graphInput, 'b', float32, ['more', ...shape]),
    tensorInfo(graphOutput, 'c', float32, ['all', ...shape]),
  );
  return joined(numberField(1, irVersion), bytesField(modelGraph, graph), bytesField(8, numberField(2, opset)));
}

function graphOf(graph: Uint8Array, states: readonly State[]): Uint8Array {
  const moved = new Set(states.flatMap(({ input, output }) => [input, output]));
  const kept = [...fieldsOf(graph)].filter(
    ({ number, body }) => !((number === graphInput || number === graphOutput) && moved.has(nameOf(body!))),
  );
  const ranks = [...new Set(states.map(({ shape }) => shape.length))];
  return joined(
    // Nodes stand in the order in which they run.
    node('Unsqueeze', [rowsInput, 'speechfb/axis'], 'speechfb/index'),
    ...states.flatMap(({ input, shape }) => [
      node('Gather', [allRowsOf(input), rowsInput], `${input}/taken`, intAttribute('axis', 0)),
      node('Reshape', [keepInput, `speechfb/column${shape.length}`], `${input}/keep`),
      node('Mul', [`${input}/taken`, `${input}/keep`], input),
    ]),
    ...kept.map(({ raw }) => raw),
    ...states.map(({ input, output }) =>
      node('ScatterND', [allRowsOf(input), 'speechfb/index', output], allRowsOf(output)),
    ),
    constant('speechfb/axis', [1]),
    ...ranks.map((rank) => constant(`speechfb/column${rank}`, [-1, ...Array<number>(rank).fill(1)])),
    tensorInfo(graphInput, rowsInput, int64, ['batch']),
    tensorInfo(graphInput, keepInput, float32, ['batch']),
    ...states.flatMap(({ input, output, shape }) => [
      tensorInfo(graphInput, allRowsOf(input), float32, ['slots', ...shape]),
      tensorInfo(graphOutput, allRowsOf(output), float32, ['slots', ...shape]),
    ]),
  );
}

function node(operator: string, inputs: readonly string[], output: string, ...attributes: Uint8Array[]): Uint8Array {
  const names = [...inputs.map((name) => bytesField(1, name)), bytesField(2, output)];
  return bytesField(
    1,
    joined(...names, bytesField(3, `${output}/${operator}`), bytesField(4, operator), ...attributes),
  );
}

function intAttribute(name: string, value: number): Uint8Array {
  return bytesField(5, joined(bytesField(1, name), numberField(3, value), numberField(20, attributeIsInt)));
}

function constant(name: string, values: readonly number[]): Uint8Array {
  const raw = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return bytesField(
    5,
    joined(numberField(1, values.length), numberField(2, int64), bytesField(8, name), bytesField(9, raw)),
  );
}

/** An input or output of the graph; a dimension with a name may be anything. */
function tensorInfo(number: number, name: string, type: number, dims: readonly (number | string)[]): Uint8Array {
  const sizes = dims.map((dim) => bytesField(1, typeof dim === 'number' ? numberField(1, dim) : bytesField(2, dim)));
  const tensor = joined(numberField(1, type), bytesField(2, joined(...sizes)));
  return bytesField(number, joined(bytesField(1, name), bytesField(2, bytesField(1, tensor))));
}

function nameOf(info: Uint8Array): string {
  for (const { number, body } of fieldsOf(info)) if (number === 1 && body) return new TextDecoder().decode(body);
  return '';
}

const modelGraph = 7;
const graphInput = 11;
const graphOutput = 12;
const float32 = 1;
const int64 = 7;
const attributeIsInt = 2;
/** ONNX Runtime 1.30 reads these and newer ones. */
const irVersion = 8;
const opset = 13;
