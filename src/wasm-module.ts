/**
 * Small WebAssembly modules, written as the specification 2.0 has them (chapter 5, "Binary
 * Format"): there is no compiler to call where the package is installed or run. All addresses are
 * bytes.
 *
 * @param memory The pages (64 KB) of one of its own, exported as `memory`; `imported`: that of
 *   another module, as `own.memory`.
 */
export function wasmModule(
  functions: readonly WasmFunction[],
  memory: { pages: number } | 'imported',
): WebAssembly.Module {
  const isImported = memory === 'imported';
  const sections = [
    section(1, list(functions.map(({ parameters }) => [0x60, ...list(Array(parameters).fill([types.i32])), 0]))),
    ...(isImported ? [section(2, list([[...name('own'), ...name('memory'), 0x02, 0, 0]]))] : []),
    section(3, list(functions.map((_, index) => [index]))),
    ...(isImported ? [] : [section(5, list([[0, ...unsigned(memory.pages)]]))]),
    section(7, list([...functions.map(exported), ...(isImported ? [] : [[...name('memory'), 0x02, 0]])])),
    section(10, list(functions.map(body))),
  ];
  return new WebAssembly.Module(Uint8Array.from([...text('\0asm'), ...[1, 0, 0, 0], ...sections.flat()]));
}

/** A function without a result. Its parameters, all i32, are local variables from 0 on. */
export type WasmFunction = {
  name: string;
  parameters: number;
  /** The local variables behind the parameters: how many, and of which type. */
  locals: readonly (readonly [count: number, type: keyof typeof types])[];
  code: readonly number[];
};

/** Bytes of a page of memory. */
export const wasmPageBytes = 65_536;

/** Instructions; those on memory take the address from the stack and add an offset to it. */
export const wasm = {
  get: (local: number) => [0x20, local],
  set: (local: number) => [0x21, local],
  /** Adds to a local variable. */
  add: (local: number, bytes: number) => [0x20, local, 0x41, ...signed(bytes), 0x6a, 0x21, local],
  /** Runs `code` once, and again as long as one local is below another afterwards. */
  loopBelow: (local: number, end: number, code: readonly number[]) => [
    ...[0x03, 0x40],
    ...code,
    ...[0x20, local, 0x20, end],
    ...[0x49, 0x0d, 0x00, 0x0b],
  ],
  loadInt: (offset = 0) => [0x28, 2, ...unsigned(offset)],
  loadFloat: (offset = 0) => [0x2a, 2, ...unsigned(offset)],
  storeDouble: (offset = 0) => [0x39, 3, ...unsigned(offset)],
  toDouble: [0xbb],
  toFloat: [0xb6],
  multiplyDoubles: [0xa2],
  /** 16 bytes: four floats, or a pair of doubles. */
  load: (offset = 0) => [0xfd, 0x00, 2, ...unsigned(offset)],
  store: (offset = 0) => [0xfd, 0x0b, 2, ...unsigned(offset)],
  /** One double twice. */
  loadTwice: (offset = 0) => [0xfd, 0x0a, 2, ...unsigned(offset)],
  multiplyFours: [0xfd, 0xe6, 0x01],
  multiplyPairs: [0xfd, 0xf2, 0x01],
  addPairs: [0xfd, 0xf0, 0x01],
  subtractPairs: [0xfd, 0xf1, 0x01],
  dividePairs: [0xfd, 0xf3, 0x01],
  loadDouble: (offset = 0) => [0x2b, 3, ...unsigned(offset)],
  double: (value: number) => [0x44, ...littleEndian(new Float64Array([value]))],
  addDoubles: [0xa0],
  /** A double, or a whole number of 64 bits, twice. */
  twice: (value: number) => [0xfd, 0x0c, ...littleEndian(new Float64Array([value, value]))],
  wholeTwice: (value: bigint) => [0xfd, 0x0c, ...littleEndian(new BigInt64Array([value, value]))],
  /** On bits, and on pairs of whole numbers of 64 bits. */
  and: [0xfd, 0x4e],
  or: [0xfd, 0x50],
  xor: [0xfd, 0x51],
  /** Takes three: the first where the bits of the third are set, else the second. */
  select: [0xfd, 0x52],
  addWholes: [0xfd, 0xce, 0x01],
  subtractWholes: [0xfd, 0xd1, 0x01],
  /** Bits of one that are set where it is below, or above, the other. */
  isBelow: [0xfd, 0xd8, 0x01],
  isAbove: [0xfd, 0xd9, 0x01],
  shiftLeft: (bits: number) => [0x41, ...signed(bits), 0xfd, 0xcb, 0x01],
  shiftRight: (bits: number) => [0x41, ...signed(bits), 0xfd, 0xcd, 0x01],
  /** The first two of four floats as doubles; a pair of doubles as floats, zeros behind them. */
  pairFromFloats: [0xfd, 0x5f],
  floatsFromPair: [0xfd, 0x5e],
  /** Eight bytes of one and eight of another, counted in eights: 0 and 1, then 2 and 3. */
  halves: (first: number, second: number) => [0xfd, 0x0d, ...eightFrom(8 * first), ...eightFrom(8 * second)],
};

const types = { i32: 0x7f, f64: 0x7c, v128: 0x7b } as const;

function littleEndian(values: Float64Array | BigInt64Array): Uint8Array {
  return new Uint8Array(values.buffer);
}

function eightFrom(byte: number): number[] {
  return Array.from({ length: 8 }, (_, at) => byte + at);
}

function body({ locals, code }: WasmFunction): number[] {
  const end = 0x0b;
  const content = [...list(locals.map(([count, type]) => [count, types[type]])), ...code, end];
  return [...unsigned(content.length), ...content];
}

function exported(of: WasmFunction, index: number): number[] {
  return [...name(of.name), 0x00, index];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function list(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
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
