import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resample } from '../../src/audio/resampler.ts';
import { readWav } from '../../src/audio/wav.ts';
import { SpeechfbError } from '../../src/errors.ts';
import { makeWav } from '../kit/make-wav.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const folder = temporaryDirectory();
function failure(from: string | Buffer): SpeechfbError {
  try {
    readWav(from);
  } catch (error) {
    if (error instanceof SpeechfbError) return error;
    throw error;
  }
  throw new Error('it was read');
}

describe('readWav reads', () => {
  const tolerance = { u8: 0.01, s16: 1e-4, s24: 1e-6, s32: 1e-7, f32: 1e-7, f64: 1e-7 };
  const values = [0, 0.25, -0.25, 0.99, -1];

  for (const [encoding, within] of Object.entries(tolerance) as [keyof typeof tolerance, number][]) {
    it.each([
      ['a plain header', false],
      ['an extensible header', true],
    ])(`${encoding} with %s`, (_, extensible) => {
      const wav = readWav(makeWav({ encoding, extensible, channels: [values] }));
      expect(wav).toMatchObject({ encoding, channels: 1, sampleRateHz: 16_000, durationMs: 5 / 16 });
      values.forEach((value, i) => {
        expect(Math.abs(wav.samples[i]! - value)).toBeLessThan(within);
      });
    });
  }

  it('the mean of its channels', () => {
    const wav = readWav(
      makeWav({
        encoding: 'f32',
        channels: [
          [0.5, 0.1],
          [-0.5, 0.3],
          [0.3, 0.2],
        ],
      }),
    );
    expect(wav.channels).toBe(3);
    expect(wav.samples[0]).toBeCloseTo(0.1, 6);
    expect(wav.samples[1]).toBeCloseTo(0.2, 6);
  });

  it.each([8000, 11_025, 44_100, 96_000])('%i Hz at its own rate', (sampleRateHz) => {
    expect(readWav(makeWav({ sampleRateHz })).sampleRateHz).toBe(sampleRateHz);
  });

  it('another rate than its own, as resample would have it', () => {
    const channels = [Array.from({ length: 400_000 }, (_, i) => Math.sin(i / 9) / 2)];
    const bytes = makeWav({ encoding: 'f64', sampleRateHz: 44_100, channels });
    const wav = readWav(bytes, { sampleRateHz: 16_000 });
    expect(wav).toMatchObject({ sampleRateHz: 16_000, durationMs: 400_000 / 44.1 });
    expect(wav.samples).toEqual(resample(readWav(bytes).samples, 44_100, 16_000));
  });

  it('past LIST and odd-sized chunks, and a chunk that hangs over', () => {
    const chunks = [
      { id: 'LIST', bytes: Buffer.from('INFOISFT\x04\0\0\0Lavf') },
      { id: 'odd ', bytes: Buffer.from('abc') },
    ];
    const wav = readWav(makeWav({ encoding: 'f32', channels: [[0.5]], chunks }));
    expect([...wav.samples]).toEqual([0.5]);
  });

  it('bytes after the samples as what they are: not samples', () => {
    const wav = readWav(Buffer.concat([makeWav({ channels: [[0.5, 0.5]] }), Buffer.from('id3 tag here')]));
    expect(wav.samples.length).toBe(2);
  });

  it('NaN and infinities as silence', () => {
    const wav = readWav(makeWav({ encoding: 'f32', channels: [[Number.NaN, Number.POSITIVE_INFINITY, 0.5]] }));
    expect([...wav.samples]).toEqual([0, 0, 0.5]);
  });

  it('a file of several blocks as the same bytes in memory', () => {
    const bytes = makeWav({
      channels: [0, 1].map((c) => Array.from({ length: 700_000 }, (_, i) => Math.sin(i + c) / 2)),
    });
    const path = join(folder, 'long.wav');
    writeFileSync(path, bytes);
    expect(Buffer.from(readWav(path).samples.buffer).equals(Buffer.from(readWav(bytes).samples.buffer))).toBe(true);
  });
});

describe('readWav refuses', () => {
  const good = makeWav({ channels: [Array.from({ length: 16_000 }, () => 0.1)] });
  const withTag = (tag: number) => {
    const bytes = Buffer.from(good);
    bytes.writeUInt16LE(tag, 20);
    return bytes;
  };
  const headerOf = (edit: (bytes: Buffer) => void) => {
    const bytes = Buffer.from(good);
    edit(bytes);
    return bytes;
  };

  it.each<[string, Buffer, string, RegExp]>([
    ['no bytes at all', Buffer.alloc(0), 'empty_audio', /empty \(0 bytes\)/],
    ['a header without samples', makeWav({ channels: [[]] }), 'empty_audio', /no samples/],
    [
      'a file cut in its samples',
      good.subarray(0, 44 + 8000),
      'truncated_audio',
      /promises 1\.00 s \(32000 bytes\), 0\.25 s \(8000 bytes\) are there/,
    ],
    ['a file cut in its header', good.subarray(0, 30), 'truncated_audio', /ends after 30 bytes/],
    ['an MP3 file', Buffer.from('ID3\x04aaaaaaaa'), 'not_wav', /an MP3 file/],
    ['an MP3 file without a tag', Buffer.from([0xff, 0xfb, 0x90, 0x64, 0, 0]), 'not_wav', /an MP3 file/],
    ['an Ogg file', Buffer.from('OggS\0\x02aaaaaaaa'), 'not_wav', /an Ogg file/],
    ['a FLAC file', Buffer.from('fLaC\0\0\0\x22'), 'not_wav', /a FLAC file/],
    ['an MP4 file', Buffer.from('\0\0\0\x20ftypM4A '), 'not_wav', /an MP4 or M4A file/],
    ['a big-endian WAV file', Buffer.from('RIFX\0\0\0\0WAVE', 'latin1'), 'not_wav', /RIFX/],
    ['text', Buffer.from('hello there, this is no sound\n'), 'not_wav', /looks like text/],
    ['noise', Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]), 'not_wav', /an unknown format/],
    [
      'mu-law',
      withTag(7),
      'unsupported_wav',
      /16-bit mu-law; allowed: 8 to 32-bit integer, 32 or 64-bit float, A-law and mu-law$/,
    ],
    ['a format nobody knows', withTag(0x1234), 'unsupported_wav', /format 0x1234/],
    ['no channels', headerOf((b) => b.writeUInt16LE(0, 22)), 'bad_wav', /0 channels/],
    ['a rate of 0', headerOf((b) => b.writeUInt32LE(0, 24)), 'bad_wav', /rate is 0 Hz; allowed: 1000 to 768000 Hz/],
    [
      'a block alignment that fits neither bits nor channels',
      headerOf((b) => b.writeUInt16LE(3, 32)),
      'bad_wav',
      /contradicts itself: its header says 1 channel of 16 bits in blocks of 3 bytes, not 2/,
    ],
    [
      '24 bits in words of 32 that are in neither half',
      headerOf((b) => {
        b.writeUInt16LE(24, 34);
        b.writeUInt16LE(4, 32);
        b.fill(Buffer.from([1, 2, 3, 4]), 44);
      }),
      'bad_wav',
      /neither the low nor the high three bytes/,
    ],
    [
      'samples before their format',
      Buffer.concat([good.subarray(0, 12), good.subarray(36)]),
      'bad_wav',
      /no "fmt " chunk/,
    ],
  ])('%s', (_, bytes, code, message) => {
    const error = failure(bytes);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.hint).toBeTruthy();
    expect(error.exitCode).toBe(2);
  });

  it('a missing file, by its name', () => {
    expect(failure(join(folder, 'no.wav'))).toMatchObject({
      code: 'audio_not_found',
      message: expect.stringMatching(/no\.wav/),
    });
  });

  it('a folder', () => {
    expect(failure(folder)).toMatchObject({ code: 'audio_unreadable', message: expect.stringMatching(/is a folder/) });
  });

  it('more than an hour, before it reads a sample', () => {
    const path = join(folder, 'hours.wav');
    const seconds = 3601;
    const header = makeWav({ sampleRateHz: 1000, encoding: 'u8', channels: [[0]], dataBytes: seconds * 1000 });
    writeFileSync(path, Buffer.concat([header.subarray(0, 44), Buffer.alloc(seconds * 1000)]));
    expect(failure(path)).toMatchObject({
      code: 'audio_too_long',
      message: expect.stringMatching(/lasts 60 m 01 s; allowed: up to 60 m 00 s/),
    });
  });
});
