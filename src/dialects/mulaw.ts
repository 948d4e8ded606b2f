/**
 * G.711 mu-law of samples in [-1, 1), one byte each: the sign, three bits of exponent and four of
 * mantissa of the 14-bit magnitude plus a bias of 33, all inverted (ITU-T G.711, table 2a). Here
 * magnitudes are of 16 bits, so that the bias is 132.
 */
export function toMulaw(samples: Float32Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(samples, (sample) => mulawOf(Math.round(sample * 32_768)));
}

function mulawOf(sample: number): number {
  const magnitude = Math.min(Math.abs(sample), clip) + bias;
  const exponent = 31 - Math.clz32(magnitude) - 7;
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  const sign = sample < 0 ? 0x80 : 0;
  return ~(sign | (exponent << 4) | mantissa) & 0xff;
}

const bias = 132;
/** The largest magnitude that stays within 15 bits with the bias. */
const clip = 32_635;
