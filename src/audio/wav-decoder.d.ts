/** The part of `wav-decoder` that is used; the package ships no types. */
declare module 'wav-decoder' {
  export const decode: {
    sync(buffer: ArrayBuffer, options?: { symmetric?: boolean }): { channelData: Float32Array[] };
  };
}
