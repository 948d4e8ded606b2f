import { randomFillSync } from 'node:crypto';
import { type ChecksummedFrame, frameHeaderBytes, headerWords } from '../../protocol/frame.ts';
import type { PreparedMessage } from './link.ts';

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/**
 * Writes the frames of a WebSocket client (RFC 6455, section 5): whole messages, masked with keys
 * from the system's random numbers. An audio frame is put together in one place, so that it takes
 * one write and no memory.
 */
export class WsWriter {
  #scratch = newScratch();

  /** One binary message of a frame. Valid until the next call, unless `kept` is called before. */
  audio(frame: ChecksummedFrame): Buffer {
    const { payload } = frame;
    const length = frameHeaderBytes + payload.byteLength;
    if (length < 126 || length > scratchBytes - inPlaceAt * 4) return this.#slowly(frame, length);
    const { words, bytes, key } = this.#scratch;
    const keyWord = this.#head(opcodes.binary, length);
    const header = headerWords(frame);
    for (let i = 0; i < header.length; i++) words[inPlaceAt + i] = header[i]! ^ keyWord;
    mask(payload, key, bytes, inPlaceAt * 4 + frameHeaderBytes, payload.byteLength);
    return this.#cut(inPlaceAt * 4 + length);
  }

  /** A message that is made already, masked. Valid as that of `audio` is. */
  prepared({ payload, isText }: PreparedMessage): Buffer {
    const opcode = isText ? opcodes.text : opcodes.binary;
    const length = payload.byteLength;
    if (length < 126 || length > scratchBytes - inPlaceAt * 4) return this.message(opcode, payload);
    const { bytes, key } = this.#scratch;
    this.#head(opcode, length);
    mask(payload, key, bytes, inPlaceAt * 4, length);
    return this.#cut(inPlaceAt * 4 + length);
  }

  /** What `audio` or `prepared` gave is still being sent: the next one is written elsewhere. */
  kept(): void {
    this.#scratch = newScratch();
  }

  /** Any message or control frame; its own to keep. */
  message(opcode: number, payload: Uint8Array): Buffer {
    const length = payload.byteLength;
    const head = length < 126 ? 6 : length < 65_536 ? 8 : 14;
    const bytes = Buffer.allocUnsafe(head + length);
    bytes[0] = 0x80 | opcode;
    if (head === 6) bytes[1] = 0x80 | length;
    else if (head === 8) {
      bytes[1] = 0x80 | 126;
      bytes.writeUInt16BE(length, 2);
    } else {
      bytes[1] = 0x80 | 127;
      bytes.writeBigUInt64BE(BigInt(length), 2);
    }
    bytes.writeInt32LE(nextKey(), head - 4);
    mask(payload, bytes.subarray(head - 4, head), bytes, head, length);
    return bytes;
  }

  /** The head of a message of 126 to 65,535 bytes in place; the result is its masking key. */
  #head(opcode: number, length: number): number {
    const { words, bytes } = this.#scratch;
    const keyWord = nextKey();
    bytes[0] = 0x80 | opcode;
    bytes[1] = 0x80 | 126;
    bytes[2] = length >>> 8;
    bytes[3] = length & 0xff;
    words[1] = keyWord;
    return keyWord;
  }

  /** Fallback for frames that do not fit the scratch buffer. */
  #slowly(frame: ChecksummedFrame, length: number): Buffer {
    const message = Buffer.allocUnsafe(length);
    headerWords(frame).forEach((word, i) => void message.writeUInt32LE(word, i * 4));
    message.set(frame.payload, frameHeaderBytes);
    return this.message(opcodes.binary, message);
  }

  /** The scratch up to `length`; frames of one test are nearly all of one length. */
  #cut(length: number): Buffer {
    const scratch = this.#scratch;
    if (scratch.cut.length !== length) scratch.cut = scratch.bytes.subarray(0, length);
    return scratch.cut;
  }
}

/**
 * Writes `length` bytes of `source`, masked with the four of `key`, to `output` from `offset` on
 * (RFC 6455, section 5.3).
 */
export type Mask = (source: Uint8Array, key: Uint8Array, output: Uint8Array, offset: number, length: number) => void;

/**
 * For platforms that bufferutil has no machine code for: there npm may leave it out. 310 ns for 640
 * bytes in place of 90.
 */
export const maskInScript: Mask = (source, key, output, offset, length) => {
  for (let i = 0; i < length; i++) output[offset + i] = source[i]! ^ key[i & 3]!;
};

export const mask: Mask = await import('bufferutil').then(
  ({ default: bufferUtil }) => bufferUtil.mask,
  () => maskInScript,
);

/**
 * Where a message of 126 to 65,535 bytes begins behind its WebSocket header, in words: 2 bytes,
 * length, key.
 */
const inPlaceAt = 2;
const scratchBytes = 4096;

type Scratch = { bytes: Buffer; words: Int32Array; key: Buffer; cut: Buffer };

function newScratch(): Scratch {
  const bytes = Buffer.from(new ArrayBuffer(scratchBytes));
  return { bytes, words: new Int32Array(bytes.buffer), key: bytes.subarray(4, 8), cut: bytes };
}

const keys = new Int32Array(2048);
let used = keys.length;

/**
 * A masking key nobody can foresee (section 5.3); drawn by the page, as the system's call costs
 * more than a frame.
 */
function nextKey(): number {
  if (used === keys.length) {
    randomFillSync(keys);
    used = 0;
  }
  return keys[used++]!;
}
