import { readFileSync } from 'node:fs';
import loadPffft from '@echogarden/pffft-wasm/simd';

/** A real FFT of one size with buffers in WASM memory. */
export type RealFft = {
  readonly size: number;
  /** The memory that all FFTs of the thread share. */
  readonly memory: WebAssembly.Memory;
  /** Byte offsets: `size` floats to be transformed are written here. */
  readonly input: number;
  /** [size] after `run`: real part of bin 0, of bin size/2, then re, im of bins 1 to size/2 - 1. */
  readonly output: number;
  run(): void;
  /** Takes memory for as long as the thread lives, aligned for any instruction. */
  allocate(bytes: number): number;
};

/**
 * The thread's FFT of `size`, a multiple of 32 with factors 2, 3 and 5: pffft (WASM, SIMD), loaded
 * once. All callers of a size share its buffers: fill the whole input before `run`, read the output
 * before anything else can run.
 */
export function realFft(size: number): Promise<RealFft> {
  const known = bySize.get(size) ?? create(size);
  bySize.set(size, known);
  return known;
}

async function create(size: number): Promise<RealFft> {
  wasm ??= load();
  const { pffft, memory } = await wasm;
  const setup = pffft._pffft_new_setup(size, realTransform);
  const [input, output, work] = [0, 1, 2].map(() => pffft._pffft_aligned_malloc(size * 4)) as [number, number, number];
  return {
    size,
    memory,
    input,
    output,
    run: () => pffft._pffft_transform_ordered(setup, input, output, work, forward),
    allocate: (bytes) => pffft._pffft_aligned_malloc(bytes),
  };
}

/** Loads pffft by its own way for that, to know the memory that it works in. */
async function load(): Promise<{ pffft: Pffft; memory: WebAssembly.Memory }> {
  const file = new URL('pffft.wasm', import.meta.resolve('@echogarden/pffft-wasm/simd'));
  const compiled = new WebAssembly.Module(new Uint8Array(readFileSync(file)));
  let memory: WebAssembly.Memory | undefined;
  const pffft = await loadPffft({
    instantiateWasm(imports, receive) {
      const instance = new WebAssembly.Instance(compiled, imports);
      memory = Object.values(instance.exports).find((one) => one instanceof WebAssembly.Memory);
      receive(instance);
      return instance.exports;
    },
  });
  return { pffft, memory: memory! };
}

type Pffft = Awaited<ReturnType<typeof loadPffft>>;

const bySize = new Map<number, Promise<RealFft>>();
let wasm: ReturnType<typeof load> | undefined;
const realTransform = 0;
const forward = 0;
