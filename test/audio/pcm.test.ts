import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fromF32le, fromS16le, readS16le, toF32le, toS16le } from '../../src/audio/pcm.ts';

it('16-bit samples come back as they were', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -32_768, max: 32_767 })), (values) => {
      const bytes = Buffer.alloc(2 * values.length);
      values.forEach((value, i) => {
        bytes.writeInt16LE(value, 2 * i);
      });
      expect(Buffer.from(toS16le(fromS16le(bytes)))).toEqual(bytes);
    }),
    { seed: 1 },
  );
});

it('16-bit samples are read as the whole numbers that they are, from an unaligned view too', () => {
  const shifted = Buffer.from([7, 0x00, 0x80, 0xff, 0x7f, 0x34, 0x12]).subarray(1);
  expect([...readS16le(shifted)]).toEqual([-32_768, 32_767, 0x1234]);
});

it('float samples come back as they were, from an unaligned view too', () => {
  const samples = Float32Array.from([0, 0.5, -1, 1e-8]);
  const shifted = Buffer.concat([Buffer.from([7]), toF32le(samples)]).subarray(1);
  expect(fromF32le(shifted)).toEqual(samples);
});

it('16-bit samples lie in [-1, 1)', () => {
  expect([...fromS16le(Buffer.from([0x00, 0x80, 0xff, 0x7f]))]).toEqual([-1, 32_767 / 32_768]);
});

it('too loud samples are clipped, not wrapped', () => {
  const bytes = Buffer.from(toS16le(Float32Array.from([1.5, -1.5, Number.NaN])));
  expect([0, 2, 4].map((at) => bytes.readInt16LE(at))).toEqual([32_767, -32_768, 0]);
});

it('NaN and infinities become 0', () => {
  expect([...fromF32le(toF32le(Float32Array.from([Number.NaN, Number.POSITIVE_INFINITY, 0.5])))]).toEqual([0, 0, 0.5]);
});
