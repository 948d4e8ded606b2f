/** A recording as it goes over the wire. */
export type Pcm = { /** pcm_s16le, mono. */ pcm: Uint8Array; sampleRateHz: number };

/**
 * Samples in [-1, 1) from little-endian 16-bit PCM; `bytes` holds whole samples. `samples` has room
 * for just them.
 */
export function fromS16le(bytes: Uint8Array, samples = new Float32Array(bytes.length >> 1)): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(2 * i, true) / 32_768;
  return samples;
}

/**
 * Whole samples from little-endian 16-bit PCM, which the next call overwrites: what all sessions
 * read goes through the same memory, which stays in the processor's cache.
 */
export function readS16le(bytes: Uint8Array): Int16Array {
  if (read.bytes.length !== bytes.length) {
    const samples = new Int16Array(bytes.length >> 1);
    read = { samples, bytes: new Uint8Array(samples.buffer) };
  }
  read.bytes.set(bytes);
  if (isBigEndian) Buffer.from(read.bytes.buffer).swap16();
  return read.samples;
}

let read = { samples: new Int16Array(0), bytes: new Uint8Array(0) };

const isBigEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 0;

/**
 * Little-endian 16-bit PCM of samples in [-1, 1), rounded to nearest and clipped; NaN becomes 0.
 */
export function toS16le(samples: Float32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(2 * samples.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < samples.length; i++) {
    view.setInt16(2 * i, Math.max(-32_768, Math.min(32_767, Math.round(samples[i]! * 32_768))), true);
  }
  return bytes;
}

/** The same as whole numbers in an array of their own; what are whole numbers already is copied. */
export function copyS16(samples: Float32Array | Int16Array): Int16Array {
  if (samples instanceof Int16Array) return samples.slice();
  const whole = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i++)
    whole[i] = Math.max(-32_768, Math.min(32_767, Math.round(samples[i]! * 32_768)));
  return whole;
}

/**
 * Samples from little-endian 32-bit float PCM; NaN and infinities become 0. `samples` has room for
 * just them.
 */
export function fromF32le(bytes: Uint8Array, samples = new Float32Array(bytes.length >> 2)): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < samples.length; i++) {
    const value = view.getFloat32(4 * i, true);
    samples[i] = Number.isFinite(value) ? value : 0;
  }
  return samples;
}

/** Little-endian 32-bit float PCM. */
export function toF32le(samples: Float32Array): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.allocUnsafe(4 * samples.length);
  for (let i = 0; i < samples.length; i++) bytes.writeFloatLE(samples[i]!, 4 * i);
  return bytes;
}
