import { SpeechfbError } from '../errors.ts';
import { formatMs } from '../format.ts';
import { type ByteSource, openBytes } from './byte-source.ts';
import { createResampler } from './resampler.ts';
import { readWavHeader, type WavEncoding, type WavHeader } from './wav-header.ts';

export type Wav = {
  /** Mono, the mean of all channels, [-1, 1) for integer files; float files as they are, with NaN and infinities as 0. */
  samples: Float32Array;
  /** Of `samples`. */
  sampleRateHz: number;
  /** Of the file. */
  channels: number;
  encoding: WavEncoding;
  durationMs: number;
};

export type ReadWavOptions = {
  /** Resample to this rate while reading, so that the file's own samples are never held; default: the file's rate. */
  sampleRateHz?: number;
  /** Default 1 h. */
  maxDurationMs?: number;
};

/**
 * Reads a WAV file or buffer: 8/16/24/32-bit integer or 32/64-bit float, any channel count, 1 to 768 kHz.
 * Every fault is found in the header, before a sample is decoded. Errors, all exit 2: `audio_not_found`, `audio_unreadable`,
 * `empty_audio`, `not_wav`, `bad_wav`, `unsupported_wav`, `truncated_audio`, `audio_too_long`.
 */
export function readWav(from: string | Buffer, options: ReadWavOptions = {}): Wav {
  const { maxDurationMs = 3_600_000 } = options;
  const source = openBytes(from);
  try {
    const header = readWavHeader(source);
    const durationMs = (header.length / header.sampleRateHz) * 1000;
    if (durationMs > maxDurationMs) {
      const allowed = formatMs(maxDurationMs);
      throw new SpeechfbError(
        'audio_too_long',
        `${source.name} lasts ${formatMs(durationMs)}; allowed: up to ${allowed}`,
        { hint: 'cut it into pieces' },
      );
    }
    const sampleRateHz = options.sampleRateHz ?? header.sampleRateHz;
    const samples = readSamples(source, header, sampleRateHz);
    const { channels, encoding } = header;
    return { samples, sampleRateHz, channels, encoding, durationMs };
  } finally {
    source.close();
  }
}

const readBytes = 1 << 20;

function readSamples(source: ByteSource, header: WavHeader, toHz: number): Float32Array {
  const { length, blockBytes, dataOffset } = header;
  const resampler = createResampler(header.sampleRateHz, toHz);
  const samples = new Float32Array(Math.ceil((length * toHz) / header.sampleRateHz));
  const blocksAtOnce = Math.max(1, Math.floor(readBytes / blockBytes));
  const block = new Float32Array(Math.min(blocksAtOnce, length));
  let written = 0;
  for (let first = 0; first < length; first += blocksAtOnce) {
    const part = block.subarray(0, Math.min(blocksAtOnce, length - first));
    decodeMono(source.read(dataOffset + first * blockBytes, part.length * blockBytes), header, part);
    const output = resampler.push(part);
    samples.set(output, written);
    written += output.length;
  }
  samples.set(resampler.flush(), written);
  return samples;
}

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
