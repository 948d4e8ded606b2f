import { describe, expect, it } from 'vitest';
import { readWav } from '../../src/audio/wav.ts';
import { makeWav } from '../kit/make-wav.ts';

const tone = Array.from({ length: 1600 }, (_, i) => Math.sin(i / 7) / 2);

/** The file with another "fmt " chunk, its samples as they are given. */
function withFormat(data: Buffer, fields: { tag: number; channels: number; bits: number; block: number }): Buffer {
  const bytes = Buffer.concat([makeWav({ channels: [[]] }), data]);
  bytes.writeUInt16LE(fields.tag, 20);
  bytes.writeUInt16LE(fields.channels, 22);
  bytes.writeUInt16LE(fields.block, 32);
  bytes.writeUInt16LE(fields.bits, 34);
  bytes.writeUInt32LE(data.length, 40);
  return bytes;
}

describe('sound of the field', () => {
  it.each([
    ['at the bottom of the word, the top byte 0', 0, (value: number) => value & 0xffffff],
    ['at the bottom, the top byte the sign', 0, (value: number) => value],
    ['at the top', 8, (value: number) => value],
  ])('is read with 24 bits in words of 32, %s', (_, shift, bits) => {
    const values = tone.map((value) => Math.round(value * 8_388_607));
    const data = Buffer.alloc(4 * values.length);
    values.forEach((value, i) => {
      data.writeInt32LE((bits(value) << shift) | 0, 4 * i);
    });
    const wav = readWav(withFormat(data, { tag: 1, channels: 1, bits: 24, block: 4 }));
    for (const [i, value] of values.entries()) expect(wav.samples[i]).toBeCloseTo(value / 8_388_608, 6);
  });

  it.each([
    ['A-law', 6, [0xd5, 0x55, 0xaa, 0x2a], [8, -8, 32_256, -32_256]],
    ['mu-law', 7, [0xff, 0x7f, 0x80, 0x00], [0, 0, 32_124, -32_124]],
  ])('is read as %s by the table of G.711', (_, tag, codes, values) => {
    const wav = readWav(withFormat(Buffer.from(codes), { tag, channels: 1, bits: 8, block: 1 }));
    expect([...wav.samples].map((sample) => sample * 32_768 + 0)).toEqual(values.map((value) => value + 0));
  });

  it('has the lowest 24-bit value as -1', () => {
    const wav = readWav(withFormat(Buffer.from([0, 0, 0x80]), { tag: 1, channels: 1, bits: 24, block: 3 }));
    expect([...wav.samples]).toEqual([-1]);
  });

  it('takes one of two channels of opposite sign, and says so', () => {
    const wav = readWav(makeWav({ channels: [tone, tone.map((value) => -value)] }));
    expect(Math.max(...wav.samples)).toBeGreaterThan(0.49);
    expect(wav.notes).toEqual(['its 2 channels cancel each other (opposite signs): channel 1 alone is heard']);
  });

  it('takes the mean of channels that agree, and says nothing', () => {
    expect(readWav(makeWav({ channels: [tone, tone] })).notes).toEqual([]);
    expect(readWav(makeWav({ channels: [tone, tone.map(() => 0)] })).notes).toEqual([]);
  });

  it('says that a recording is very quiet', () => {
    const wav = readWav(makeWav({ encoding: 'f32', channels: [tone.map((value) => value / 200)] }));
    expect(wav.notes).toEqual(['it is very quiet: its loudest sample is 52 dB below full scale']);
  });

  it('says nothing of silence', () => {
    expect(readWav(makeWav({ channels: [tone.map(() => 0)] })).notes).toEqual([]);
  });

  it('is empty where an empty data chunk is followed by other chunks', () => {
    const empty = makeWav({ channels: [[]] });
    const list = Buffer.from('LIST\x04\0\0\0INFO');
    expect(() => readWav(Buffer.concat([empty, list]))).toThrow(/holds no samples/);
  });
});
