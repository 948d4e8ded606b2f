import { wasm, wasmModule } from '../../wasm-module.ts';

/**
 * The loops of a log-mel frame in WebAssembly, in the memory of the FFT: float32 and float64 as a
 * plain loop has them, to the last bit. All addresses are bytes, multiples of 16.
 */
export type MelKernel = {
  /** Products of float32: `output` = `samples` x `window`, as many as lie before `outputEnd`. */
  multiply(samples: number, window: number, output: number, outputEnd: number): void;
  /**
   * |X|^2 of an FFT's output, each rounded to float32 and kept as float64; `powerEnd` lies behind
   * all but the last bin, which is written there.
   */
  power(spectrum: number, power: number, powerEnd: number): void;
  /**
   * Sums of weighted power, float64, two filters at a time: `pairs` has for each two int32, where
   * their first power lies and where it ends; `weights` the weights of both for each power between;
   * `floor` is where each sum begins.
   */
  sum(pairs: number, weights: number, floor: number, sums: number, sumsEnd: number): void;
};

/** @param memory of the FFT */
export function createMelKernel(memory: WebAssembly.Memory): MelKernel {
  compiled ??= wasmModule(
    [
      { name: 'multiply', parameters: 4, locals: [], code: multiplyCode() },
      {
        name: 'power',
        parameters: 3,
        locals: [
          [2, 'i32'],
          [2, 'v128'],
        ],
        code: powerCode(),
      },
      {
        name: 'sum',
        parameters: 5,
        locals: [
          [2, 'i32'],
          [1, 'v128'],
        ],
        code: sumCode(),
      },
    ],
    'imported',
  );
  return new WebAssembly.Instance(compiled, { own: { memory } }).exports as MelKernel;
}

let compiled: WebAssembly.Module | undefined;
const { get, set, add, load, store, loopBelow } = wasm;

function multiplyCode(): number[] {
  const [samples, window, output, outputEnd] = [0, 1, 2, 3] as const;
  return loopBelow(output, outputEnd, [
    ...get(output),
    ...[...get(samples), ...load()],
    ...[...get(window), ...load()],
    ...wasm.multiplyFours,
    ...store(),
    ...[...add(samples, 16), ...add(window, 16), ...add(output, 16)],
  ]);
}

/** Two bins at a time; the first has no imaginary part, the last one is where that would be. */
function powerCode(): number[] {
  const [spectrum, power, powerEnd, bins, next, first, second] = [0, 1, 2, 3, 4, 5, 6] as const;
  const squares = (local: number) => [...get(local), ...get(local), ...wasm.multiplyPairs];
  const real = (offset: number) => [...get(spectrum), ...wasm.loadFloat(offset), ...wasm.toDouble];
  const square = (offset: number) => [...real(offset), ...real(offset), ...wasm.multiplyDoubles];
  const rounded = [...wasm.toFloat, ...wasm.toDouble];
  return [
    ...[...get(spectrum), ...set(bins), ...get(power), ...set(next)],
    ...loopBelow(next, powerEnd, [
      ...[...get(bins), ...load(), ...wasm.pairFromFloats, ...set(first), ...squares(first), ...set(first)],
      ...[...get(bins), ...load(), ...get(bins), ...load(), ...wasm.halves(1, 1)],
      ...[...wasm.pairFromFloats, ...set(second), ...squares(second), ...set(second)],
      ...get(next),
      ...[...get(first), ...get(second), ...wasm.halves(0, 2)],
      ...[...get(first), ...get(second), ...wasm.halves(1, 3)],
      ...[...wasm.addPairs, ...wasm.floatsFromPair, ...wasm.pairFromFloats, ...store()],
      ...[...add(bins, 16), ...add(next, 16)],
    ]),
    ...[...get(power), ...square(0), ...rounded, ...wasm.storeDouble()],
    ...[...get(powerEnd), ...square(4), ...rounded, ...wasm.storeDouble()],
  ];
}

function sumCode(): number[] {
  const [pairs, weights, floor, sums, sumsEnd, power, end, sum] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
  return loopBelow(sums, sumsEnd, [
    ...[...get(pairs), ...wasm.loadInt(0), ...set(power), ...get(pairs), ...wasm.loadInt(4), ...set(end)],
    ...[...get(floor), ...wasm.loadTwice(), ...set(sum)],
    ...loopBelow(power, end, [
      ...get(sum),
      ...[...get(power), ...wasm.loadTwice(), ...get(weights), ...load(), ...wasm.multiplyPairs],
      ...[...wasm.addPairs, ...set(sum)],
      ...[...add(power, 8), ...add(weights, 16)],
    ]),
    ...[...get(sums), ...get(sum), ...store()],
    ...[...add(pairs, 8), ...add(sums, 16)],
  ]);
}
