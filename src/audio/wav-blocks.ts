import wavDecoder from 'wav-decoder';
import { SpeechfbError } from '../errors.ts';
import type { ByteSource } from './byte-source.ts';
import { convert } from './wav-format.ts';
import type { WavHeader } from './wav-header.ts';

/**
 * The samples of a WAV file, a block of channels at a time, [-1, 1), so that a long file is never
 * held whole. `wav-decoder` decodes; what it lacks (A-law, mu-law, 24 bits in words of 32) or gets
 * wrong (the lowest 24-bit value, the middle of 8 bits) is first rewritten in the next wider
 * integers, which loses nothing. Throws `bad_wav` when 24 bits in 32 are nowhere.
 */
export function* wavBlocks(source: ByteSource, header: WavHeader): Generator<Float32Array[]> {
  const layout = layoutOf(source, header);
  for (const bytes of wholeBlocks(source, header)) {
    const stored = layout.rewrite(bytes);
    yield wavDecoder.decode.sync(miniature(header, layout.stored, stored), { symmetric: true }).channelData;
  }
}

const readBytes = 1 << 18;

/** The data ranges as whole blocks: one may begin in a chunk and end in the next. */
function* wholeBlocks(source: ByteSource, { data, blockBytes, length }: WavHeader): Generator<Buffer> {
  let left = length * blockBytes;
  let rest = Buffer.alloc(0);
  for (const range of data) {
    for (let at = 0; at < range.bytes && left > 0; at += readBytes) {
      const piece = source.read(range.offset + at, Math.min(readBytes, range.bytes - at));
      const joined = Buffer.concat([rest, piece]).subarray(0, left);
      const whole = joined.length - (joined.length % blockBytes);
      rest = Buffer.from(joined.subarray(whole));
      left -= whole;
      if (whole > 0) yield joined.subarray(0, whole);
    }
  }
}

/** An encoding that wav-decoder reads, and how the file's bytes become it. */
type Layout = { stored: keyof typeof storedAs; rewrite(bytes: Buffer): Buffer };

const storedAs = { s16: [1, 16], s32: [1, 32], f32: [3, 32], f64: [3, 64] } as const;

function layoutOf(source: ByteSource, header: WavHeader): Layout {
  switch (header.encoding) {
    case 'u8':
      return { stored: 's16', rewrite: (bytes) => mapped(bytes, (byte) => (byte - 128) << 8) };
    case 'alaw':
      return { stored: 's16', rewrite: (bytes) => mapped(bytes, aLaw) };
    case 'mulaw':
      return { stored: 's16', rewrite: (bytes) => mapped(bytes, muLaw) };
    case 's24':
      return { stored: 's32', rewrite: widener(source, header) };
    default:
      return { stored: header.encoding, rewrite: (bytes) => bytes };
  }
}

/** Single bytes to 16-bit samples. */
function mapped(bytes: Buffer, value: (byte: number) => number): Buffer {
  const out = Buffer.allocUnsafe(bytes.length * 2);
  for (let i = 0; i < bytes.length; i++) out.writeInt16LE(value(bytes[i]!), 2 * i);
  return out;
}

/**
 * ITU-T G.711, A-law: even bits are inverted, then sign, three bits of exponent and four of
 * mantissa.
 */
function aLaw(byte: number): number {
  const code = byte ^ 0x55;
  const exponent = (code >> 4) & 7;
  const mantissa = ((code & 15) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1);
  return code & 0x80 ? magnitude : -magnitude;
}

/** ITU-T G.711, mu-law: all bits are inverted; 33 quarter steps of bias. */
function muLaw(byte: number): number {
  const code = ~byte & 0xff;
  const magnitude = ((((code & 15) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84;
  return code & 0x80 ? -magnitude : magnitude;
}

/** 24-bit samples to 32 bits, their value at the top. */
function widener(source: ByteSource, header: WavHeader): (bytes: Buffer) => Buffer {
  const { containerBytes } = header;
  const skip = containerBytes === 4 && isLeftJustified(source, header) ? 1 : 0;
  return (bytes) => {
    const samples = bytes.length / containerBytes;
    const out = Buffer.alloc(samples * 4);
    for (let i = 0; i < samples; i++) {
      const at = i * containerBytes + skip;
      out[4 * i + 1] = bytes[at]!;
      out[4 * i + 2] = bytes[at + 1]!;
      out[4 * i + 3] = bytes[at + 2]!;
    }
    return out;
  };
}

/**
 * Whether 24 bits stand at the top of their word of 32, as the format's description has them, or at
 * its bottom, as ALSA's S24_LE does. The byte that is left over tells: it holds zeros at the
 * bottom, zeros or the sign at the top.
 */
function isLeftJustified(source: ByteSource, { data, blockBytes }: WavHeader): boolean {
  const range = data[0]!;
  const bytes = source.read(range.offset, Math.min(readBytes, range.bytes - (range.bytes % blockBytes)));
  const every = (offset: number, fits: (byte: number) => boolean) => {
    for (let at = offset; at < bytes.length; at += 4) if (!fits(bytes[at]!)) return false;
    return true;
  };
  if (every(3, (byte) => byte === 0 || byte === 0xff)) return false;
  if (every(0, (byte) => byte === 0)) return true;
  const where = 'neither the low nor the high three bytes of its blocks are';
  throw new SpeechfbError(
    'bad_wav',
    `${source.name} says it has 24-bit samples in words of 4 bytes, and ${where}`,
    convert,
  );
}

/** One block as a WAV file of its own. */
function miniature({ channels, sampleRateHz }: WavHeader, stored: Layout['stored'], bytes: Buffer): ArrayBuffer {
  const [tag, bits] = storedAs[stored];
  const file = new ArrayBuffer(44 + bytes.length);
  const view = Buffer.from(file);
  view.write('RIFF....WAVEfmt ', 0, 'latin1');
  view.writeUInt32LE(36 + bytes.length, 4);
  view.writeUInt32LE(16, 16);
  view.writeUInt16LE(tag, 20);
  view.writeUInt16LE(channels, 22);
  view.writeUInt32LE(sampleRateHz, 24);
  view.writeUInt32LE((sampleRateHz * channels * bits) / 8, 28);
  view.writeUInt16LE((channels * bits) / 8, 32);
  view.writeUInt16LE(bits, 34);
  view.write('data', 36, 'latin1');
  view.writeUInt32LE(bytes.length, 40);
  bytes.copy(view, 44);
  return file;
}
