/** The part of `@echogarden/pffft-wasm` that is used; the package ships no types. */
declare module '@echogarden/pffft-wasm/simd' {
  export default function load(options: {
    /** Compiles and instantiates it in place of its own loader. */
    instantiateWasm(
      imports: WebAssembly.Imports,
      receive: (instance: WebAssembly.Instance) => void,
    ): WebAssembly.Instance['exports'];
  }): Promise<{
    _pffft_new_setup(size: number, transform: number): number;
    _pffft_aligned_malloc(bytes: number): number;
    _pffft_transform_ordered(setup: number, input: number, output: number, work: number, direction: number): void;
  }>;
}
