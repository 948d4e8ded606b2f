import { SpeechfbError } from '../errors.ts';
import { formatMs } from '../units.ts';
import { openBytes } from './byte-source.ts';
import { readWavHeader, type WavEncoding, type WavHeader } from './wav-header.ts';

export type Wav = {
  /** Mono, the mean of all channels, [-1, 1) for integer files; float files as they are, with NaN and infinities as 0. */
  samples: Float32Array;
  sampleRateHz: number;
  /** Of the file. */
  channels: number;
  encoding: WavEncoding;
  durationMs: number;
};

export const wavLimits = { maxDurationMs: 3_600_000 };

/**
 * Reads a WAV file or buffer: 8/16/24/32-bit integer or 32/64-bit float, any channel count, 1 to 768 kHz, at its own rate.
 * Every fault is found in the header, before a sample is decoded. Errors, all exit 2: `audio_not_found`, `audio_unreadable`,
 * `empty_audio`, `not_wav`, `bad_wav`, `unsupported_wav`, `truncated_audio`, `audio_too_long`.
 */
export function readWav(from: string | Buffer, limits = wavLimits): Wav {
  const source = openBytes(from);
  try {
    const header = readWavHeader(source);
    const durationMs = (header.length / header.sampleRateHz) * 1000;
    if (durationMs > limits.maxDurationMs) {
      const allowed = formatMs(limits.maxDurationMs);
      throw new SpeechfbError(
        'audio_too_long',
        `${source.name} lasts ${formatMs(durationMs)}; allowed: up to ${allowed}`,
        { hint: 'cut it into pieces' },
      );
    }
    const samples = new Float32Array(header.length);
    const blocksAtOnce = Math.max(1, Math.floor(readBytes / header.blockBytes));
    for (let first = 0; first < header.length; first += blocksAtOnce) {
      const count = Math.min(blocksAtOnce, header.length - first);
      const bytes = source.read(header.dataOffset + first * header.blockBytes, count * header.blockBytes);
      decodeMono(bytes, header, samples.subarray(first, first + count));
    }
    const { sampleRateHz, channels, encoding } = header;
    return { samples, sampleRateHz, channels, encoding, durationMs };
  } finally {
    source.close();
  }
}

const readBytes = 1 << 20;

function decodeMono(bytes: Buffer, header: WavHeader, out: Float32Array): void {
  const read = readers[header.encoding];
  const { channels, blockBytes } = header;
  const sampleBytes = blockBytes / channels;
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += read(bytes, i * blockBytes + channel * sampleBytes);
    const mean = sum / channels;
    out[i] = Number.isFinite(mean) ? mean : 0;
  }
}

const readers: Record<WavEncoding, (bytes: Buffer, offset: number) => number> = {
  u8: (bytes, offset) => (bytes[offset]! - 128) / 128,
  s16: (bytes, offset) => ((bytes[offset]! | (bytes[offset + 1]! << 8)) << 16) / 2_147_483_648,
  s24: (bytes, offset) =>
    ((bytes[offset]! << 8) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 24)) / 2_147_483_648,
  s32: (bytes, offset) => bytes.readInt32LE(offset) / 2_147_483_648,
  f32: (bytes, offset) => bytes.readFloatLE(offset),
  f64: (bytes, offset) => bytes.readDoubleLE(offset),
};
