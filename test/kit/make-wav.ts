import type { WavEncoding } from '../../src/audio/wav-format.ts';

/** Encodings that a test writes. */
type Written = Exclude<WavEncoding, 'alaw' | 'mulaw'>;

export type WavRecipe = {
  encoding?: Written;
  sampleRateHz?: number;
  /** One array a channel, [-1, 1]. */
  channels?: readonly (readonly number[])[];
  extensible?: boolean;
  /** Chunks between "fmt " and "data". */
  chunks?: readonly { id: string; bytes: Buffer }[];
  /** What the headers promise, when it is not the truth. */
  dataBytes?: number;
  riffBytes?: number;
};

/** The bytes of a WAV file. */
export function makeWav(recipe: WavRecipe): Buffer {
  const { encoding = 's16', sampleRateHz = 16_000, channels = [[0, 0.5, -0.5]], extensible = false } = recipe;
  const data = samplesOf(encoding, channels);
  const format = formatChunk(encoding, sampleRateHz, channels.length, extensible);
  const body = Buffer.concat([
    Buffer.from('WAVE'),
    chunk('fmt ', format),
    ...(recipe.chunks ?? []).map(({ id, bytes }) => chunk(id, bytes)),
    chunk('data', data, recipe.dataBytes),
  ]);
  return Buffer.concat([Buffer.from('RIFF'), u32(recipe.riffBytes ?? body.length), body]);
}

function chunk(id: string, bytes: Buffer, size = bytes.length): Buffer {
  return Buffer.concat([Buffer.from(id), u32(size), bytes, Buffer.alloc(bytes.length & 1)]);
}

function formatChunk(encoding: Written, sampleRateHz: number, channels: number, extensible: boolean): Buffer {
  const bits = Number(encoding.slice(1));
  const tag = encoding.startsWith('f') ? 3 : 1;
  const bytes = Buffer.alloc(extensible ? 40 : 16);
  bytes.writeUInt16LE(extensible ? 0xfffe : tag, 0);
  bytes.writeUInt16LE(channels, 2);
  bytes.writeUInt32LE(sampleRateHz, 4);
  bytes.writeUInt32LE((sampleRateHz * channels * bits) / 8, 8);
  bytes.writeUInt16LE((channels * bits) / 8, 12);
  bytes.writeUInt16LE(bits, 14);
  if (extensible) {
    bytes.writeUInt16LE(22, 16);
    bytes.writeUInt16LE(bits, 18);
    bytes.writeUInt16LE(tag, 24);
    Buffer.from('000000001000800000aa00389b71', 'hex').copy(bytes, 26);
  }
  return bytes;
}

function samplesOf(encoding: Written, channels: readonly (readonly number[])[]): Buffer {
  const bytes = Number(encoding.slice(1)) / 8;
  const out = Buffer.alloc(channels[0]!.length * channels.length * bytes);
  channels[0]!.forEach((_, i) => {
    channels.forEach((channel, c) => {
      write[encoding](out, channel[i]!, (i * channels.length + c) * bytes);
    });
  });
  return out;
}

const write: Record<Written, (out: Buffer, value: number, offset: number) => void> = {
  u8: (out, value, offset) => out.writeUInt8(128 + Math.round(value * 127), offset),
  s16: (out, value, offset) => out.writeInt16LE(Math.round(value * 32_767), offset),
  s24: (out, value, offset) => out.writeIntLE(Math.round(value * 8_388_607), offset, 3),
  s32: (out, value, offset) => out.writeInt32LE(Math.round(value * 2_147_483_647), offset),
  f32: (out, value, offset) => out.writeFloatLE(value, offset),
  f64: (out, value, offset) => out.writeDoubleLE(value, offset),
};

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}
