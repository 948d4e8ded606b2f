/** Writes `length` bytes of `source`, masked with the four of `key`, to `output` from `offset` on (RFC 6455, section 5.3). */
export type Mask = (source: Uint8Array, key: Uint8Array, output: Uint8Array, offset: number, length: number) => void;

/** For platforms that bufferutil has no machine code for: there npm may leave it out. 310 ns for 640 bytes in place of 90. */
export const maskInScript: Mask = (source, key, output, offset, length) => {
  for (let i = 0; i < length; i++) output[offset + i] = source[i]! ^ key[i & 3]!;
};

export const mask: Mask = await import('bufferutil').then(
  ({ default: bufferUtil }) => bufferUtil.mask,
  () => maskInScript,
);
