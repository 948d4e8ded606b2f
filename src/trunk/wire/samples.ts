/** Sound as it travels and is kept: two bytes a sample where those lose nothing, else four. */
export type PackedSound = { format: SampleFormat; bytes: Uint8Array };

export type SampleFormat = 's16le' | 'f32le';

export const sampleBytes: Record<SampleFormat, number> = { s16le: 2, f32le: 4 };

/**
 * Packs samples so that `unpackSound` gives the same numbers, bit by bit: sound that was 16-bit
 * when it came and was not resampled is again.
 *
 * @param pcm In [-1, 1).
 */
export function packSound(pcm: Float32Array): PackedSound {
  const narrow = new Int16Array(pcm.length);
  for (let at = 0; at < pcm.length; at += 1) {
    const scaled = pcm[at]! * fullScale;
    narrow[at] = scaled;
    // Not-a-number is unequal to whatever it became.
    if (narrow[at] !== scaled) return { format: 'f32le', bytes: littleEndian(pcm.slice()) };
  }
  return { format: 's16le', bytes: littleEndian(narrow) };
}

export function unpackSound({ format, bytes }: PackedSound): Float32Array {
  const samples = new Float32Array(Math.floor(bytes.length / sampleBytes[format]));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < samples.length; at += 1) {
    samples[at] = format === 's16le' ? view.getInt16(2 * at, true) / fullScale : view.getFloat32(4 * at, true);
  }
  return samples;
}

const fullScale = 32_768;

function littleEndian(samples: Int16Array | Float32Array): Uint8Array {
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  if (!isBigEndian) return bytes;
  const swapped = Buffer.from(bytes);
  return samples.BYTES_PER_ELEMENT === 2 ? swapped.swap16() : swapped.swap32();
}

const isBigEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 0;
