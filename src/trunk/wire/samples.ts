import type { Samples } from '../../acoustic/engine/types.ts';

/** Sound as it travels and is kept: two bytes a sample where those lose nothing, else four. */
export type PackedSound = { format: SampleFormat; bytes: Uint8Array };

export type SampleFormat = 's16le' | 'f32le';

export const sampleBytes: Record<SampleFormat, number> = { s16le: 2, f32le: 4 };

/**
 * Writes two bytes a sample, if `unpackSound` then gives the same numbers again, bit by bit, as for
 * sound that was 16-bit when it came and was not resampled.
 *
 * @param offset Bytes, an even number.
 * @param pcm In [-1, 1).
 * @returns Whether it does; if not, what was written is not to be read.
 */
export function packNarrow(bytes: Uint8Array, offset: number, pcm: Float32Array): boolean {
  const narrow = new Int16Array(bytes.buffer, bytes.byteOffset + offset, pcm.length);
  for (let at = 0; at < pcm.length; at += 1) {
    const scaled = pcm[at]! * fullScale;
    const whole = Math.trunc(scaled);
    // Not-a-number is unequal to itself.
    if (whole !== scaled || whole < -fullScale || whole >= fullScale) return false;
    narrow[at] = whole;
  }
  if (isBigEndian) swap(bytes.subarray(offset, offset + 2 * pcm.length), 's16le');
  return true;
}

/** Writes four bytes a sample. @param offset Bytes, a multiple of four. */
export function packWide(bytes: Uint8Array, offset: number, pcm: Float32Array): void {
  new Float32Array(bytes.buffer, bytes.byteOffset + offset, pcm.length).set(pcm);
  if (isBigEndian) swap(bytes.subarray(offset, offset + 4 * pcm.length), 'f32le');
}

/**
 * The samples as they came, those of two bytes as whole numbers; the next call may write over them.
 *
 * @param into Where those of four bytes are put, if it is large enough.
 */
export function unpackSamples(packed: PackedSound, into: Float32Array): Samples {
  const { format, bytes } = packed;
  const size = bytes.length - (bytes.length % sampleBytes.s16le);
  if (format === 'f32le' || size > scratch.length) return unpackSound(packed, into);
  scratch.set(size === bytes.length ? bytes : bytes.subarray(0, size));
  if (isBigEndian) swap(scratch.subarray(0, size), format);
  return narrowScratch.subarray(0, size / sampleBytes.s16le);
}

/**
 * The samples in [-1, 1).
 *
 * @param into Where they are put, if it is large enough; what is returned is a part of it.
 */
export function unpackSound({ format, bytes }: PackedSound, into?: Float32Array): Float32Array {
  const length = Math.floor(bytes.length / sampleBytes[format]);
  const samples = into && into.length >= length ? into.subarray(0, length) : new Float32Array(length);
  const size = length * sampleBytes[format];
  // Bytes of a message begin anywhere, numbers only at their multiples.
  const aligned = size <= scratch.length ? scratch : new Uint8Array(size);
  aligned.set(size === bytes.length ? bytes : bytes.subarray(0, size));
  if (isBigEndian) swap(aligned.subarray(0, size), format);
  if (format === 'f32le') samples.set(new Float32Array(aligned.buffer, 0, length));
  else {
    const narrow = aligned === scratch ? narrowScratch : new Int16Array(aligned.buffer);
    for (let at = 0; at < length; at += 1) samples[at] = narrow[at]! / fullScale;
  }
  return samples;
}

function swap(bytes: Uint8Array, format: SampleFormat): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (format === 's16le') buffer.swap16();
  else buffer.swap32();
}

const fullScale = 32_768;
/** A piece of a replay has as many bytes at most. */
const scratch = new Uint8Array(64 * 1024);
const narrowScratch = new Int16Array(scratch.buffer);
const isBigEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 0;
