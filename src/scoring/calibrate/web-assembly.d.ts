/** The part of Node's WebAssembly that the matrix kernel uses; its own types have none of it. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>);
  }
  class Instance {
    readonly exports: unknown;
    constructor(module: Module);
  }
  type Memory = { readonly buffer: ArrayBuffer };
}
