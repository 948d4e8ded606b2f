import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AudioFrame,
  bytesPerSample,
  decodeFrame,
  encodeFrame,
  frameFlags,
  headerWords,
} from '../../src/protocol/frame.ts';

const frame: AudioFrame = {
  codec: 'pcm_f32le',
  flags: frameFlags.last,
  epoch: 0x01020304,
  seq: 0x11121314,
  firstSample: 0x0001_8182_8384_8586,
  payload: Uint8Array.from([1, 2, 3, 4]),
};

describe('an audio frame', () => {
  it('is 24 bytes, low byte first, then the payload', () => {
    expect(encodeFrame(frame).toString('hex')).toBe(
      ['53010102', '04030201', '14131211', 'cdfb3cb6', '8685848382810100', '01020304'].join(''),
    );
  });

  it('has a sample size for each codec and a bit for each flag', () => {
    expect(bytesPerSample).toEqual({ pcm_s16le: 2, pcm_f32le: 4 });
    expect(frameFlags).toEqual({ discontinuity: 1, last: 2, retransmit: 4 });
  });

  it('comes back as it was sent', () => {
    fc.assert(
      fc.property(frames, (sent) => {
        const decoded = decodeFrame(encodeFrame(sent));
        expect(decoded).toEqual({ ok: true, frame: { ...sent, payload: Buffer.from(sent.payload) } });
      }),
    );
  });

  it('is decoded without copying its payload', () => {
    const message = encodeFrame(frame);
    const decoded = decodeFrame(message);
    message[24] = 99;
    expect(decoded).toMatchObject({ frame: { payload: Buffer.from([99, 2, 3, 4]) } });
  });

  it('may hold no sound', () => {
    expect(decodeFrame(encodeFrame({ ...frame, payload: new Uint8Array() }))).toMatchObject({ ok: true });
  });

  it('has a header of six words, in one array at each call', () => {
    const words = headerWords({ ...frame, crc32: 0xdeadbeef });
    expect([...words]).toEqual([0x02010153, 0x01020304, 0x11121314, 0xdeadbeef, 0x83848586, 0x00018182]);
    expect(headerWords({ ...frame, crc32: 1 })).toBe(words);
  });

  it.each<[string, string, (bytes: Buffer) => Buffer | undefined, string]>([
    [
      'nothing',
      'short',
      () => Buffer.alloc(0),
      'an audio frame has a 24-byte header; got 0 bytes: raw PCM without its 24-byte header? docs/protocol.md has the header',
    ],
    [
      '23 bytes',
      'short',
      (bytes) => bytes.subarray(0, 23),
      'an audio frame has a 24-byte header; got 23 bytes: raw PCM without its 24-byte header? docs/protocol.md has the header',
    ],
    [
      'another magic byte',
      'magic',
      (bytes) => put(bytes, 0, 7),
      'magic byte 0x07 is not 0x53: raw PCM without its 24-byte header? docs/protocol.md has the header',
    ],
    ['another version', 'version', (bytes) => put(bytes, 1, 2), 'frame version 2 is not 1'],
    ['another codec', 'codec', (bytes) => put(bytes, 2, 2), 'codec 2 is not one of 0 (pcm_s16le), 1 (pcm_f32le)'],
    ['a flag beyond the three', 'flags', (bytes) => put(bytes, 3, 8), 'flags 0x08 hold bits outside 0x07'],
    ['half a sample', 'ragged', (bytes) => bytes.subarray(0, 26), '2 payload bytes are not whole pcm_f32le samples'],
    ['a changed byte', 'crc', (bytes) => put(bytes, 24, 0), "crc32 0xb63cfbcd does not match the payload's 0xe809ca8"],
  ])('of %s is refused as %s', (_, fault, change, message) => {
    const bytes = encodeFrame(frame);
    expect(decodeFrame(change(bytes) ?? bytes)).toEqual({ ok: false, fault, message });
  });

  it('with any one byte of the payload or its checksum changed is refused', () => {
    const places = fc.constantFrom(12, 13, 14, 15, 24, 25, 26, 27);
    fc.assert(
      fc.property(places, fc.integer({ min: 1, max: 255 }), (place, change) => {
        const bytes = encodeFrame(frame);
        put(bytes, place, bytes[place]! ^ change);
        expect(decodeFrame(bytes)).toMatchObject({ ok: false, fault: 'crc' });
      }),
    );
  });
});

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const frames: fc.Arbitrary<AudioFrame> = fc
  .record({
    codec: fc.constantFrom('pcm_s16le', 'pcm_f32le'),
    flags: fc.integer({ min: 0, max: 7 }),
    epoch: u32,
    seq: u32,
    firstSample: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    samples: fc.array(fc.uint8Array({ minLength: 4, maxLength: 4 }), { maxLength: 8 }),
  })
  .map(({ samples, ...rest }) => ({ ...rest, payload: Uint8Array.from(samples.flatMap((sample) => [...sample])) }));

function put(bytes: Buffer, place: number, value: number): Buffer {
  bytes[place] = value;
  return bytes;
}
