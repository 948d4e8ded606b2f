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
  const compiled = new WebAssembly.Module(moduleBytes(Math.ceil((8 * doubles) / pageBytes)));
  const { multiply, memory } = new WebAssembly.Instance(compiled).exports as {
    multiply: MatrixKernel['multiply'];
    memory: WebAssembly.Memory;
  };
  return { multiply, memory: new Float64Array(memory.buffer) };
}

const pageBytes = 65_536;

// What follows writes the module as the WebAssembly specification 2.0 has it (chapter 5, "Binary
// Format"): there is no compiler to call where the package is installed or run.

const types = { i32: 0x7f, v128: 0x7b } as const;
/** The local variables; the first six are the parameters. */
const [matrix, values, valuesEnd, start, output, outputEnd, value] = [0, 1, 2, 3, 4, 5, 6];
/** Four sums of two rows each, and a value twice. */
const [firstSum, spread] = [7, 11];
const pairs = [0, 1, 2, 3];

const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
/** Adds to a local variable. */
const add = (local: number, bytes: number): number[] => [...get(local), 0x41, ...signed(bytes), 0x6a, ...set(local)];
/** Runs `body` again as long as one local is below another afterwards. */
const loopBelow = (local: number, end: number, body: number[]): number[] => [
  ...[0x03, 0x40],
  ...body,
  ...get(local),
  ...get(end),
  ...[0x49, 0x0d, 0x00, 0x0b],
];
/** An instruction on vectors that reads or writes memory at an offset, in multiples of 8. */
const atOffset = (opcode: number, offset: number): number[] => [0xfd, opcode, 3, offset];
const loadPair = (offset: number): number[] => atOffset(0x00, offset);
const loadTwice = (): number[] => atOffset(0x0a, 0);
const storePair = (offset: number): number[] => atOffset(0x0b, offset);
const multiplyPairs = [0xfd, 0xf2, 0x01];
const addPairs = [0xfd, 0xf0, 0x01];

function kernelCode(): number[] {
  const block = 8 * blockRows;
  const everyPair = (code: (pair: number) => number[]): number[] => pairs.flatMap(code);
  const accumulate = [
    ...get(value!),
    ...loadTwice(),
    ...set(spread!),
    ...everyPair((pair) => [
      ...get(firstSum! + pair),
      ...get(matrix!),
      ...loadPair(16 * pair),
      ...get(spread!),
      ...multiplyPairs,
      ...addPairs,
      ...set(firstSum! + pair),
    ]),
    ...add(matrix!, block),
    ...add(value!, 8),
  ];
  return loopBelow(output!, outputEnd!, [
    ...everyPair((pair) => [...get(start!), ...loadPair(16 * pair), ...set(firstSum! + pair)]),
    ...get(values!),
    ...set(value!),
    ...loopBelow(value!, valuesEnd!, accumulate),
    ...everyPair((pair) => [...get(output!), ...get(firstSum! + pair), ...storePair(16 * pair)]),
    ...add(start!, block),
    ...add(output!, block),
  ]);
}

function moduleBytes(pages: number): Uint8Array<ArrayBuffer> {
  const { i32, v128 } = types;
  const locals = [2, 1, i32, pairs.length + 1, v128];
  const end = 0x0b;
  const body = [...locals, ...kernelCode(), end];
  return Uint8Array.from([
    ...text('\0asm'),
    ...[1, 0, 0, 0],
    ...section(1, [1, 0x60, 6, i32, i32, i32, i32, i32, i32, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, ...unsigned(pages)]),
    ...section(7, [2, ...name('multiply'), 0, 0, ...name('memory'), 2, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}

function section(id: number, content: number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function name(of: string): number[] {
  return [of.length, ...text(of)];
}

function text(of: string): number[] {
  return [...Buffer.from(of, 'latin1')];
}

/** LEB128, seven bits a byte. */
function unsigned(number: number): number[] {
  return number < 128 ? [number] : [(number & 127) | 128, ...unsigned(number >>> 7)];
}

/** The same of a number from 0 on where a sign is expected: the last byte has six bits for it. */
function signed(number: number): number[] {
  return number < 64 ? [number] : [(number & 127) | 128, ...signed(number >>> 7)];
}
