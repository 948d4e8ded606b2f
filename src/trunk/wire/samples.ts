import { fullScale, type Samples } from '../../acoustic/engine/types.ts';

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

/** Writes whole numbers of 16 bits as they are. @param offset Bytes, an even number. */
export function packWhole(bytes: Uint8Array, offset: number, pcm: Int16Array): void {
  new Int16Array(bytes.buffer, bytes.byteOffset + offset, pcm.length).set(pcm);
  if (isBigEndian) swap(bytes.subarray(offset, offset + 2 * pcm.length), 's16le');
}

/** The samples; they may be read until something else is unpacked. */
export function unpackSound({ format, bytes }: PackedSound): Samples {
  const length = Math.floor(bytes.length / sampleBytes[format]);
  const size = length * sampleBytes[format];
  // Bytes of a message begin anywhere, numbers only at their multiples.
  const aligned = size <= scratch.length ? scratch : new Uint8Array(size);
  aligned.set(size === bytes.length ? bytes : bytes.subarray(0, size));
  if (isBigEndian) swap(aligned.subarray(0, size), format);
  return format === 'f32le' ? new Float32Array(aligned.buffer, 0, length) : new Int16Array(aligned.buffer, 0, length);
}

function swap(bytes: Uint8Array, format: SampleFormat): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (format === 's16le') buffer.swap16();
  else buffer.swap32();
}

/** A piece of a replay has as many bytes at most. */
const scratch = new Uint8Array(64 * 1024);
const isBigEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 0;
