import { SpeechfbError } from '../errors.ts';
import { formatMs } from '../format.ts';
import { type ByteSource, openBytes } from './byte-source.ts';
import { type Mix, mixed, mixOf } from './mix.ts';
import { createResampler } from './resampler.ts';
import { wavBlocks } from './wav-blocks.ts';
import type { WavEncoding } from './wav-format.ts';
import { readWavHeader, type WavHeader } from './wav-header.ts';

export type Wav = {
  /** Mono, [-1, 1) for integer files; float files as they are, with NaN and infinities as 0. */
  samples: Float32Array;
  /** Sample rate of `samples`. */
  sampleRateHz: number;
  /** Channels of the file. */
  channels: number;
  encoding: WavEncoding;
  durationMs: number;
  /**
   * What its user should know of the sound, a sentence each: channels that cancel, a very quiet
   * recording.
   */
  notes: readonly string[];
};

export type ReadWavOptions = {
  /**
   * Resample to this rate while reading, so that the file's own samples are never held; default:
   * the file's rate.
   */
  sampleRateHz?: number;
  /** Or to the nearest rate within these bounds, both inside, when the file's own is outside. */
  ratesHz?: { least: number; most: number };
  /** Default 1 h. */
  maxDurationMs?: number;
};

/**
 * Reads a WAV file, a buffer, or `-`, the standard input: integers of 8 to 32 bits, 32 or 64-bit
 * float, A-law, mu-law, any channel count, 1 to 768 kHz. Every fault is found in the header, before
 * a sample is decoded. Errors, all exit 2: `audio_not_found`, `audio_unreadable`, `empty_audio`,
 * `not_wav`, `bad_wav`, `unsupported_wav`, `truncated_audio`, `audio_too_long`.
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
    const mix = mixOf(source, header);
    const { least, most } = options.ratesHz ?? { least: 0, most: Number.POSITIVE_INFINITY };
    const sampleRateHz = options.sampleRateHz ?? Math.min(most, Math.max(least, header.sampleRateHz));
    const samples = readSamples(source, header, mix, sampleRateHz);
    const { channels, encoding } = header;
    return { samples, sampleRateHz, channels, encoding, durationMs, notes: notesOn(samples, channels, mix) };
  } finally {
    source.close();
  }
}

function readSamples(source: ByteSource, header: WavHeader, mix: Mix, toHz: number): Float32Array {
  const resampler = createResampler(header.sampleRateHz, toHz);
  const samples = new Float32Array(Math.ceil((header.length * toHz) / header.sampleRateHz));
  let written = 0;
  for (const block of wavBlocks(source, header)) {
    const output = resampler.push(mixed(block, mix));
    samples.set(output, written);
    written += output.length;
  }
  samples.set(resampler.flush(), written);
  return samples;
}

/**
 * A peak below this, 45 dB under full scale, leaves 16-bit speech some eight bits, most of them the
 * room's.
 */
const quietPeak = 10 ** (-45 / 20);

function notesOn(samples: Float32Array, channels: number, mix: Mix): string[] {
  const notes: string[] = [];
  if (mix !== 'mean')
    notes.push(
      `its ${channels} channels cancel each other (opposite signs): channel ${mix.channel + 1} alone is heard`,
    );
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  if (peak > 0 && peak < quietPeak)
    notes.push(`it is very quiet: its loudest sample is ${(-20 * Math.log10(peak)).toFixed(0)} dB below full scale`);
  return notes;
}
