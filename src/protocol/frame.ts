import { crc32 } from 'node:zlib';

/**
 * The binary audio frame of `speechfb.v1`: a 24-byte little-endian header, then the payload.
 *
 * | offset | type | field                                                            |
 * | 0      | u8   | magic 0x53 ("S")                                                 |
 * | 1      | u8   | version 1                                                        |
 * | 2      | u8   | codec: 0 pcm_s16le, 1 pcm_f32le                                  |
 * | 3      | u8   | flags: 1 discontinuity, 2 last, 4 retransmit                     |
 * | 4      | u32  | epoch: rises when the client restarts its sample clock           |
 * | 8      | u32  | seq: rises by one a frame within an epoch                        |
 * | 12     | u32  | crc32 (IEEE, as zlib) of the payload                             |
 * | 16     | u64  | first_sample: index of the first sample on the client's clock    |
 */
export type AudioFrame = {
  codec: Codec;
  flags: number;
  epoch: number;
  seq: number;
  firstSample: number;
  payload: Uint8Array;
};

export const frameHeaderBytes = 24;
const codecs = ['pcm_s16le', 'pcm_f32le'] as const;
export type Codec = (typeof codecs)[number];
export const bytesPerSample = { pcm_s16le: 2, pcm_f32le: 4 } as const satisfies Record<Codec, number>;
export const frameFlags = { discontinuity: 1, last: 2, retransmit: 4 } as const;

/** Why a binary message is not an audio frame. */
type FrameFault = 'short' | 'magic' | 'version' | 'codec' | 'flags' | 'crc' | 'ragged';

export type DecodedFrame = { ok: true; frame: AudioFrame } | { ok: false; fault: FrameFault; message: string };

/** A frame whose checksum is known. */
export type ChecksummedFrame = AudioFrame & { crc32: number };

/** One WebSocket message, ready to send. */
export function encodeFrame(frame: AudioFrame): Buffer {
  const bytes = Buffer.allocUnsafe(frameHeaderBytes + frame.payload.byteLength);
  headerWords({ ...frame, crc32: crc32(frame.payload) }).forEach((word, i) => void bytes.writeUInt32LE(word, i * 4));
  bytes.set(frame.payload, frameHeaderBytes);
  return bytes;
}

/**
 * The header as six words of 32 bits, each to be written low byte first. For those who send so many
 * frames that they write them in place; the array is the same at each call.
 */
export function headerWords({ codec, flags, epoch, seq, crc32, firstSample }: ChecksummedFrame): Uint32Array {
  words[0] = magic | (version << 8) | (codecs.indexOf(codec) << 16) | (flags << 24);
  words[1] = epoch;
  words[2] = seq;
  words[3] = crc32;
  words[4] = firstSample % 0x1_0000_0000;
  words[5] = firstSample / 0x1_0000_0000;
  return words;
}

/**
 * The frame in a WebSocket message, or what is wrong with it. The payload is a view, not a copy.
 */
export function decodeFrame(message: Buffer): DecodedFrame {
  if (message.length < frameHeaderBytes) {
    return fault(
      'short',
      `an audio frame has a ${frameHeaderBytes}-byte header; got ${message.length} bytes${rawHint(message)}`,
    );
  }
  if (message[0] !== magic)
    return fault('magic', `magic byte 0x${hex(message[0])} is not 0x${hex(magic)}${rawHint(message)}`);
  if (message[1] !== version) return fault('version', `frame version ${message[1]} is not ${version}`);
  const codec = codecs[message[2]!];
  if (!codec)
    return fault('codec', `codec ${message[2]} is not one of ${codecs.map((c, i) => `${i} (${c})`).join(', ')}`);
  const flags = message[3]!;
  if (flags & ~knownFlags) return fault('flags', `flags 0x${hex(flags)} hold bits outside 0x${hex(knownFlags)}`);
  const payload = message.subarray(frameHeaderBytes);
  if (payload.length % bytesPerSample[codec] !== 0) {
    return fault('ragged', `${payload.length} payload bytes are not whole ${codec} samples`);
  }
  const crc = message.readUInt32LE(12);
  const actual = crc32(payload);
  if (crc !== actual) return fault('crc', `crc32 0x${hex(crc)} does not match the payload's 0x${hex(actual)}`);
  const firstSample = message.readUInt32LE(20) * 0x1_0000_0000 + message.readUInt32LE(16);
  return {
    ok: true,
    frame: { codec, flags, epoch: message.readUInt32LE(4), seq: message.readUInt32LE(8), firstSample, payload },
  };
}

/** Clients of other servers send bare samples; those of a recorder, a file. */
function rawHint(message: Buffer): string {
  const start = message.toString('latin1', 0, 4);
  const container = { RIFF: 'a WAV file', OggS: 'Ogg', '\x1aE\xdf\xa3': 'WebM' }[start];
  return container === undefined
    ? `: raw PCM without its ${frameHeaderBytes}-byte header? docs/protocol.md has the header`
    : `: this is ${container}; send PCM behind a ${frameHeaderBytes}-byte header, as docs/protocol.md has it`;
}

const magic = 0x53;
const version = 1;
const words = new Uint32Array(frameHeaderBytes / 4);
const knownFlags = frameFlags.discontinuity | frameFlags.last | frameFlags.retransmit;

function fault(kind: FrameFault, message: string): DecodedFrame {
  return { ok: false, fault: kind, message };
}

function hex(value: number | undefined): string {
  return (value ?? 0).toString(16).padStart(2, '0');
}
