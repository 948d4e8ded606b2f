/**
 * The ws project's masking of WebSocket frames: machine code where there is some for the platform,
 * JavaScript elsewhere.
 */
declare module 'bufferutil' {
  const bufferUtil: {
    /**
     * Writes `length` bytes of `source`, masked with the four of `key`, to `output` from `offset`
     * on.
     */
    mask(source: Uint8Array, key: Uint8Array, output: Uint8Array, offset: number, length: number): void;
  };
  export default bufferUtil;
}
