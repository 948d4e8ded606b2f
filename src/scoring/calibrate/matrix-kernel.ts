import { wasm, wasmModule, wasmPageBytes } from '../../wasm-module.ts';

/**
 * output = start + matrix x values in double precision, in WebAssembly: two rows an instruction,
 * eight at a time. Each row is summed in the order of its values, one multiplication and one
 * addition at a time, so the sums are those of a plain loop to the last bit.
 *
 * All addresses are bytes in the kernel's memory, multiples of 8. The matrix lies in blocks of
 * `blockRows` rows, within a block value by value: the eight weights of the first, then of the
 * second ...
 */
export type MatrixKernel = {
  memory: Float64Array;
  /**
   * @param valuesEnd, outputEnd behind the last value and the last row: at least one value, whole
   *   blocks of rows.
   */
  multiply(matrix: number, values: number, valuesEnd: number, start: number, output: number, outputEnd: number): void;
};

/** Rows of a block. */
export const blockRows = 8;

/** @param doubles that its memory has room for. */
export function createMatrixKernel(doubles: number): MatrixKernel {
  // A module for each size: memory that grows lets go of its buffer, and from the first buffer that
  // a thread lets go of, V8 looks at each access to any typed array whether there is still one.
  const functions = [{ name: 'multiply', parameters: 6, locals, code: multiplyCode() }];
  const compiled = wasmModule(functions, { pages: Math.ceil((8 * doubles) / wasmPageBytes) });
  const { multiply, memory } = new WebAssembly.Instance(compiled).exports as {
    multiply: MatrixKernel['multiply'];
    memory: WebAssembly.Memory;
  };
  return { multiply, memory: new Float64Array(memory.buffer) };
}

/** The local variables; the first six are the parameters. */
const [matrix, values, valuesEnd, start, output, outputEnd, value] = [0, 1, 2, 3, 4, 5, 6] as const;
/** Four sums of two rows each, and a value twice. */
const [firstSum, spread] = [7, 11] as const;
const locals = [
  [1, 'i32'],
  [5, 'v128'],
] as const;
const pairs = [0, 1, 2, 3];

function multiplyCode(): number[] {
  const { get, set, add, load, store } = wasm;
  const block = 8 * blockRows;
  const everyPair = (code: (pair: number) => number[]): number[] => pairs.flatMap(code);
  const accumulate = [
    ...get(value),
    ...wasm.loadTwice(),
    ...set(spread),
    ...everyPair((pair) => [
      ...get(firstSum + pair),
      ...get(matrix),
      ...load(16 * pair),
      ...get(spread),
      ...wasm.multiplyPairs,
      ...wasm.addPairs,
      ...set(firstSum + pair),
    ]),
    ...add(matrix, block),
    ...add(value, 8),
  ];
  return wasm.loopBelow(output, outputEnd, [
    ...everyPair((pair) => [...get(start), ...load(16 * pair), ...set(firstSum + pair)]),
    ...get(values),
    ...set(value),
    ...wasm.loopBelow(value, valuesEnd, accumulate),
    ...everyPair((pair) => [...get(output), ...get(firstSum + pair), ...store(16 * pair)]),
    ...add(start, block),
    ...add(output, block),
  ]);
}
