import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toMulaw } from '../../src/dialects/mulaw.ts';

describe('mu-law', () => {
  it.each([
    // Decision values of ITU-T G.711, table 2a, scaled to 16 bits.
    [0, 0xff],
    [32_635, 0x80],
    [32_767, 0x80],
    [-32_635, 0x00],
    [-32_768, 0x00],
    [132, 0xef],
    [-132, 0x6f],
    [1000, 0xce],
  ])('writes %i as %i', (sample, byte) => {
    expect(toMulaw(Float32Array.of(sample / 32_768))).toEqual(Uint8Array.of(byte));
  });

  it('reads back within half a step of what was written', () => {
    fc.assert(
      fc.property(fc.integer({ min: -32_635, max: 32_635 }), (sample) => {
        const [byte] = toMulaw(Float32Array.of(sample / 32_768));
        const { value, step } = decoded(byte!);
        expect(Math.abs(value - sample)).toBeLessThanOrEqual(step / 2);
      }),
    );
  });
});

/** The sample that a byte stands for, and how wide its interval is. */
function decoded(byte: number): { value: number; step: number } {
  const bits = ~byte & 0xff;
  const exponent = (bits >> 4) & 7;
  const magnitude = ((((bits & 0x0f) << 3) + 132) << exponent) - 132;
  return { value: bits & 0x80 ? -magnitude : magnitude, step: 8 << exponent };
}
