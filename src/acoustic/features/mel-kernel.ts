import { wasm, wasmModule } from '../../wasm-module.ts';
import { logarithms, logLocals } from './log-code.ts';

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
  /**
   * Natural logarithms of float64, positive and normal, as float32, four at a time; what is not
   * finite gives no number.
   */
  log(sums: number, logs: number, logsEnd: number): void;
  /** The sum of float32 in float64, one after the other. */
  total(values: number, valuesEnd: number, total: number): void;
  /** Adds float32 to sums of float64, two at a time. */
  accumulate(values: number, sums: number, sumsEnd: number): void;
  /**
   * (value - sum / count) / deviation in float64, for float32 in place, four at a time; all but
   * them float64.
   */
  normalise(sums: number, count: number, deviations: number, values: number, valuesEnd: number): void;
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
      { name: 'log', parameters: 3, locals: [[2 + logLocals, 'v128']], code: logCode() },
      { name: 'total', parameters: 3, locals: [[1, 'f64']], code: totalCode() },
      { name: 'accumulate', parameters: 3, locals: [], code: accumulateCode() },
      { name: 'normalise', parameters: 5, locals: [], code: normaliseCode() },
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

function logCode(): number[] {
  const [sums, logs, logsEnd, first, second, free] = [0, 1, 2, 3, 4, 5] as const;
  return loopBelow(logs, logsEnd, [
    ...[...get(sums), ...load(), ...set(first), ...get(sums), ...load(16), ...set(second)],
    ...[...logarithms(first, free), ...logarithms(second, free)],
    ...[...get(logs), ...inFloats(get(first), get(second)), ...store()],
    ...[...add(sums, 32), ...add(logs, 16)],
  ]);
}

function totalCode(): number[] {
  const [values, valuesEnd, total, sum] = [0, 1, 2, 3] as const;
  return [
    ...[...wasm.double(0), ...set(sum)],
    ...loopBelow(values, valuesEnd, [
      ...[...get(sum), ...get(values), ...wasm.loadFloat(), ...wasm.toDouble, ...wasm.addDoubles, ...set(sum)],
      ...add(values, 4),
    ]),
    ...[...get(total), ...get(sum), ...wasm.storeDouble()],
  ];
}

function accumulateCode(): number[] {
  const [values, sums, sumsEnd] = [0, 1, 2] as const;
  return loopBelow(sums, sumsEnd, [
    ...[...get(sums), ...get(sums), ...load()],
    ...[...get(values), ...load(), ...wasm.pairFromFloats, ...wasm.addPairs, ...store()],
    ...[...add(values, 8), ...add(sums, 16)],
  ]);
}

function normaliseCode(): number[] {
  const [sums, count, deviations, values, valuesEnd] = [0, 1, 2, 3, 4] as const;
  const pair = (floats: number[], offset: number) => [
    ...[...floats, ...wasm.pairFromFloats],
    ...[...get(sums), ...load(offset), ...get(count), ...wasm.loadTwice(), ...wasm.dividePairs],
    ...[...wasm.subtractPairs, ...get(deviations), ...load(offset), ...wasm.dividePairs],
  ];
  const four = [...get(values), ...load()];
  return loopBelow(values, valuesEnd, [
    ...[...get(values), ...inFloats(pair(four, 0), pair([...four, ...four, ...wasm.halves(1, 1)], 16)), ...store()],
    ...[...add(sums, 32), ...add(deviations, 32), ...add(values, 16)],
  ]);
}

/** Two pairs of doubles as four floats. */
function inFloats(first: number[], second: number[]): number[] {
  return [...first, ...wasm.floatsFromPair, ...second, ...wasm.floatsFromPair, ...wasm.halves(0, 2)];
}
