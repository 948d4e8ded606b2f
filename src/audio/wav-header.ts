import { SpeechfbError } from '../errors.ts';
import type { ByteSource } from './byte-source.ts';
import { looksLike } from './sniff.ts';

export type WavEncoding = 'u8' | 's16' | 's24' | 's32' | 'f32' | 'f64';

export type WavHeader = {
  encoding: WavEncoding;
  sampleRateHz: number;
  channels: number;
  /** One sample of all channels. */
  blockBytes: number;
  /** Where the samples begin. */
  dataOffset: number;
  /** Sample instants in the file. */
  length: number;
};

/**
 * Reads the RIFF chunks up to the samples; nothing of the samples is read. Unknown chunks are skipped, with their pad byte.
 * Errors: `empty_audio`, `not_wav`, `bad_wav`, `unsupported_wav`, `truncated_audio`.
 */
export function readWavHeader(source: ByteSource): WavHeader {
  const { name, size } = source;
  if (size === 0) throw new SpeechfbError('empty_audio', `${name} is empty (0 bytes)`, { hint: 'record it again' });
  const riff = Buffer.from(source.read(0, 64));
  if (ascii(riff, 0) !== 'RIFF' || ascii(riff, 8) !== 'WAVE') throw notWav(name, riff);
  let format: Format | undefined;
  for (let offset = 12; offset + 8 <= size; ) {
    const chunk = Buffer.from(source.read(offset, 8 + 40));
    const id = ascii(chunk, 0);
    const bytes = chunk.readUInt32LE(4);
    if (id !== 'data' && offset + 8 + bytes > size) break;
    if (id === 'fmt ') format = readFormat(name, chunk.subarray(8, 8 + bytes));
    if (id === 'data') {
      if (!format) throw new SpeechfbError('bad_wav', `${name} has samples but no "fmt " chunk before them`, convert);
      return withData(source, format, offset + 8, bytes, riff.readUInt32LE(4));
    }
    offset += 8 + bytes + (bytes & 1);
  }
  throw new SpeechfbError('truncated_audio', `${name} ends after ${size} bytes, before any samples`, recopy);
}

type Format = Pick<WavHeader, 'encoding' | 'sampleRateHz' | 'channels' | 'blockBytes'>;

const convert = { hint: 'convert it: ffmpeg -i INPUT -ac 1 -ar 16000 -c:a pcm_s16le OUTPUT.wav' };
const recopy = { hint: 'copy or record it again; to use what is there: sox --ignore-length INPUT OUTPUT.wav' };

function readFormat(name: string, chunk: Buffer): Format {
  if (chunk.length < 16)
    throw new SpeechfbError('bad_wav', `${name} has a "fmt " chunk of ${chunk.length} bytes, not 16`);
  const tag = chunk.readUInt16LE(0);
  const bits = chunk.readUInt16LE(14);
  const channels = chunk.readUInt16LE(2);
  const sampleRateHz = chunk.readUInt32LE(4);
  // An extensible header keeps the real tag in the first two bytes of its sub-format GUID.
  const realTag = tag === 0xfffe && chunk.length >= 26 ? chunk.readUInt16LE(24) : tag;
  const encoding = encodings[`${realTag}/${bits}`];
  if (!encoding) {
    const what = tagNames[realTag] ?? `format 0x${realTag.toString(16).padStart(4, '0')}`;
    const allowed = '8, 16, 24 or 32-bit integer and 32 or 64-bit float PCM';
    throw new SpeechfbError('unsupported_wav', `${name} holds ${bits}-bit ${what}; allowed: ${allowed}`, convert);
  }
  if (channels === 0) throw new SpeechfbError('bad_wav', `${name} says it has 0 channels`, convert);
  if (sampleRateHz < minRateHz || sampleRateHz > maxRateHz) {
    const allowed = `${minRateHz} to ${maxRateHz} Hz`;
    throw new SpeechfbError('bad_wav', `${name} says its rate is ${sampleRateHz} Hz; allowed: ${allowed}`, convert);
  }
  return { encoding, sampleRateHz, channels, blockBytes: channels * (bits / 8) };
}

const minRateHz = 1000;
const maxRateHz = 768_000;

const encodings: Record<string, WavEncoding> = {
  '1/8': 'u8',
  '1/16': 's16',
  '1/24': 's24',
  '1/32': 's32',
  '3/32': 'f32',
  '3/64': 'f64',
};

const tagNames: Record<number, string> = {
  1: 'integer PCM',
  2: 'ADPCM (Microsoft)',
  3: 'float PCM',
  6: 'A-law',
  7: 'mu-law',
  17: 'ADPCM (IMA)',
  85: 'MP3',
};

function withData(source: ByteSource, format: Format, offset: number, bytes: number, riffBytes: number): WavHeader {
  const there = source.size - offset;
  // A recorder that died leaves 0 or all ones where the sizes belong.
  const unfinished = bytes === 0 && there > 0 && riffBytes + 8 !== source.size;
  if (bytes > there || unfinished) {
    const seconds = (count: number) =>
      `${(Math.floor(count / format.blockBytes) / format.sampleRateHz).toFixed(2)} s (${count} bytes)`;
    const promised = unfinished || bytes >= 0x7fff0000 ? 'was never finished' : `promises ${seconds(bytes)}`;
    throw new SpeechfbError(
      'truncated_audio',
      `${source.name} is cut: its header ${promised}, ${seconds(there)} are there`,
      recopy,
    );
  }
  const length = Math.floor(bytes / format.blockBytes);
  if (length === 0)
    throw new SpeechfbError('empty_audio', `${source.name} holds no samples`, { hint: 'record it again' });
  return { ...format, dataOffset: offset, length };
}

function notWav(name: string, start: Buffer): SpeechfbError {
  return new SpeechfbError('not_wav', `${name} is not a WAV file: it looks like ${looksLike(start)}`, convert);
}

function ascii(bytes: Buffer, offset: number): string {
  return bytes.toString('latin1', offset, offset + 4);
}
