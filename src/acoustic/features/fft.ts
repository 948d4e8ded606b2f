import loadPffft from '@echogarden/pffft-wasm/simd';

/** A real FFT of one size with buffers in WASM memory. */
export type RealFft = {
  /** Write `size` samples here. */
  readonly input: Float32Array;
  /** [size] after `run`: real part of bin 0, of bin size/2, then re, im of bins 1 to size/2 - 1. */
  readonly output: Float32Array;
  run(): void;
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
  wasm ??= loadPffft();
  const pffft = await wasm;
  const setup = pffft._pffft_new_setup(size, realTransform);
  const [input, output, work] = [0, 1, 2].map(() => pffft._pffft_aligned_malloc(size * 4)) as [number, number, number];
  return {
    input: new Float32Array(pffft.HEAPF32.buffer, input, size),
    output: new Float32Array(pffft.HEAPF32.buffer, output, size),
    run: () => pffft._pffft_transform_ordered(setup, input, output, work, forward),
  };
}

type Pffft = Awaited<ReturnType<typeof loadPffft>>;

const bySize = new Map<number, Promise<RealFft>>();
let wasm: Promise<Pffft> | undefined;
const realTransform = 0;
const forward = 0;
