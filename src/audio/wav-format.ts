import { SpeechfbError } from '../errors.ts';

/** How one sample is stored. */
export type WavEncoding = 'u8' | 's16' | 's24' | 's32' | 'f32' | 'f64' | 'alaw' | 'mulaw';

/** What a "fmt " chunk says. */
export type WavFormat = {
  encoding: WavEncoding;
  sampleRateHz: number;
  channels: number;
  /** One sample of all channels. */
  blockBytes: number;
  /**
   * Bytes that one sample takes in a block: more than its encoding needs in files of older
   * recorders.
   */
  containerBytes: number;
};

/** What its user can do about a file that cannot be read as it is. */
export const convert = { hint: 'convert it: ffmpeg -i INPUT -ac 1 -ar 16000 -c:a pcm_s16le OUTPUT.wav' };

/**
 * Reads a "fmt " chunk (WAVEFORMATEX and WAVE_FORMAT_EXTENSIBLE; Microsoft, "Multiple channel audio
 * data and WAVE files"). Integers that do not fill their container are left-justified in it.
 * Errors: `bad_wav` for a chunk that contradicts itself, `unsupported_wav`.
 */
export function readWavFormat(name: string, chunk: Buffer): WavFormat {
  if (chunk.length < 16)
    throw new SpeechfbError('bad_wav', `${name} has a "fmt " chunk of ${chunk.length} bytes, not 16`, convert);
  const tag = chunk.readUInt16LE(0);
  const channels = chunk.readUInt16LE(2);
  const sampleRateHz = chunk.readUInt32LE(4);
  const blockBytes = chunk.readUInt16LE(12);
  const bits = chunk.readUInt16LE(14);
  // An extensible header keeps the real tag in the first two bytes of its sub-format GUID.
  const realTag = tag === 0xfffe && chunk.length >= 26 ? chunk.readUInt16LE(24) : tag;
  const encoding = encodingOf(realTag, bits);
  if (!encoding) {
    const what = tagNames[realTag] ?? `format 0x${realTag.toString(16).padStart(4, '0')}`;
    throw new SpeechfbError('unsupported_wav', `${name} holds ${bits}-bit ${what}; allowed: ${allowed}`, convert);
  }
  if (channels === 0) throw new SpeechfbError('bad_wav', `${name} says it has 0 channels`, convert);
  if (sampleRateHz < minRateHz || sampleRateHz > maxRateHz) {
    const rates = `${minRateHz} to ${maxRateHz} Hz`;
    throw new SpeechfbError('bad_wav', `${name} says its rate is ${sampleRateHz} Hz; allowed: ${rates}`, convert);
  }
  const containerBytes = containerOf(name, { encoding, channels, blockBytes, bits });
  return { encoding, sampleRateHz, channels, blockBytes: channels * containerBytes, containerBytes };
}

/** Bytes that a sample needs. */
const sampleBytes: Record<WavEncoding, number> = { u8: 1, s16: 2, s24: 3, s32: 4, f32: 4, f64: 8, alaw: 1, mulaw: 1 };

function encodingOf(tag: number, bits: number): WavEncoding | undefined {
  if (tag === 1) return ([undefined, 'u8', 's16', 's24', 's32'] as const)[Math.ceil(bits / 8)];
  return others[`${tag}/${bits}`];
}

const others: Record<string, WavEncoding> = { '3/32': 'f32', '3/64': 'f64', '6/8': 'alaw', '7/8': 'mulaw' };
const allowed = '8 to 32-bit integer, 32 or 64-bit float, A-law and mu-law';

type Said = { encoding: WavEncoding; channels: number; blockBytes: number; bits: number };

/**
 * Bytes a sample by the block alignment, which must fit bits and channels; 0, as some writers leave
 * it, says nothing.
 */
function containerOf(name: string, { encoding, channels, blockBytes, bits }: Said): number {
  const needed = sampleBytes[encoding];
  if (blockBytes === 0 || blockBytes === needed * channels) return needed;
  // 24 bits in words of 32, as ALSA's S24_LE has them.
  if (encoding === 's24' && blockBytes === 4 * channels) return 4;
  const blocks = `${channels === 1 ? '1 channel' : `${channels} channels`} of ${bits} bits in blocks of ${blockBytes} bytes`;
  throw new SpeechfbError(
    'bad_wav',
    `${name} contradicts itself: its header says ${blocks}, not ${needed * channels}`,
    convert,
  );
}

const minRateHz = 1000;
const maxRateHz = 768_000;

const tagNames: Record<number, string> = {
  1: 'integer PCM',
  2: 'ADPCM (Microsoft)',
  3: 'float PCM',
  6: 'A-law',
  7: 'mu-law',
  17: 'ADPCM (IMA)',
  85: 'MP3',
};
