import type { Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as ws from 'ws';
import { opcodes, WsWriter } from '../../../src/client/link/websocket-writer.ts';
import { decodeFrame, encodeFrame } from '../../../src/protocol/frame.ts';
import { listen, raw } from '../../kit/websocket.ts';

describe('what the writer writes', () => {
  it.each([
    ['in place', 640, 0],
    ['of odd length', 642, 0],
    ['of no whole word', 639, 0],
    ['off the words of its memory', 640, 2],
    ['shorter than a header of two bytes says', 60, 0],
    ['longer than the place', 8000, 0],
    ['longer than two bytes of length say', 70_000, 0],
  ])('a frame %s is read by the ws library as the frame it is', async (_, length, offset) => {
    const payload = new Uint8Array(new ArrayBuffer(length + offset), offset).map((_, i) => i * 7);
    const plain = { codec: 'pcm_f32le', flags: 2, epoch: 3, seq: 4_000_000_000, firstSample: 2 ** 40 + 5 } as const;
    const known = decodeFrame(encodeFrame({ ...plain, payload: new Uint8Array(payload) }));
    const crc32 = encodeFrame({ ...plain, payload }).readUInt32LE(12);
    const writer = new WsWriter();
    const [first, second] = [1, 2].map(() => Buffer.from(writer.audio({ ...plain, payload, crc32 })));
    expect(await readByWs(Buffer.concat([first!, second!]))).toEqual(
      Array.from({ length: 2 }, () => encodeFrame({ ...plain, payload })),
    );
    if (length % 4 === 0) expect(known.ok).toBe(true);
    expect(first!.subarray(0, 14)).not.toEqual(second!.subarray(0, 14));
  });

  it('a frame that is still being sent is not written over', () => {
    const writer = new WsWriter();
    const frame = { codec: 'pcm_s16le', flags: 0, epoch: 0, seq: 1, firstSample: 0, crc32: 0 } as const;
    const first = writer.audio({ ...frame, payload: new Uint8Array(640) });
    const copy = Buffer.from(first);
    writer.kept();
    writer.audio({ ...frame, payload: new Uint8Array(640).fill(9) });
    expect(first).toEqual(copy);
  });

  it.each([0, 1, 125, 126, 65_535, 65_536])('a text of %i bytes is read by the ws library', async (length) => {
    const text = Buffer.alloc(length, 'a');
    expect(await readByWs(new WsWriter().message(opcodes.text, text))).toEqual([text]);
  });
});

describe('the reader', () => {
  it('hears what the ws library sends, cut anywhere', () => {
    const sent = ['{"a":1}', 'é'.repeat(80), 'x'.repeat(300), 'y'.repeat(70_000)];
    const wire = Buffer.concat(sent.map((text) => framed(text, opcodes.text)));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 200 }), (cuts) => {
        const heard: string[] = [];
        const reader = listen({ text: (text) => heard.push(text) });
        let at = 0;
        for (let i = 0; at < wire.length; i++) {
          const chunk = Buffer.from(wire.subarray(at, at + cuts[i % cuts.length]!));
          at += chunk.length;
          reader.read(chunk);
          chunk.fill(0);
        }
        expect(heard).toEqual(sent);
      }),
      { numRuns: 50 },
    );
  });

  it('reads as much of a buffer as it is told, whatever the rest of it held before', () => {
    const heard: string[] = [];
    const reader = listen({ text: (text) => heard.push(text) });
    const shared = Buffer.alloc(64);
    const give = (bytes: Buffer) => {
      bytes.copy(shared);
      reader.read(shared, bytes.length);
    };
    const message = raw(0x81, 'in two parts');
    give(raw(0x81, 'longer than all that follow'));
    give(raw(0x81, 'a'));
    give(message.subarray(0, 1));
    give(message.subarray(1));
    expect(heard).toEqual(['longer than all that follow', 'a', 'in two parts']);
  });

  it('puts fragments together, with control frames between them', () => {
    const heard: unknown[] = [];
    const reader = listen({ text: (text) => heard.push(text), ping: (data) => heard.push(`ping ${data}`) });
    reader.read(
      Buffer.concat([
        raw(0x01, 'he'),
        raw(0x89, '!'),
        raw(0x00, 'l'),
        raw(0x80, 'lo'),
        raw(0x8a, ''),
        raw(0x82, 'xyz'),
        raw(0x88, '\x03\xe8bye'),
        raw(0x81, 'after the end'),
      ]),
    );
    expect(heard).toEqual(['ping !', 'hello', 'pong', 'binary 3', 'close 1000 bye']);
  });

  it.each([
    ['a reserved bit', raw(0xc1, 'a'), 1002],
    ['a mask', Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0]), 1002],
    ['an unknown opcode', raw(0x83, 'a'), 1002],
    ['an unknown control opcode', raw(0x8b, 'a'), 1002],
    ['a control frame in parts', raw(0x09, 'a'), 1002],
    ['a control frame above 125 bytes', raw(0x89, 'a'.repeat(126)), 1002],
    ['a continuation of nothing', raw(0x80, 'a'), 1002],
    ['a message within a message', Buffer.concat([raw(0x01, 'a'), raw(0x81, 'b')]), 1002],
    ['a length beyond all reason', Buffer.from([0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0]), 1009],
  ])('refuses %s', (_, bytes, code) => {
    const broken: number[] = [];
    listen({ broken: (given) => broken.push(given) }).read(bytes);
    expect(broken).toEqual([code]);
  });
});

/** Parts of the ws library that its types leave out. */
const { Receiver, Sender } = ws as unknown as {
  Receiver: new (options: { isServer: boolean }) => Writable;
  Sender: { frame(data: Buffer, options: object): Buffer[] };
};

/** As a ws server frames a message. */
function framed(text: string, opcode: number): Buffer {
  const options = { fin: true, rsv1: false, opcode, mask: false, readOnly: false };
  return Buffer.concat(Sender.frame(Buffer.from(text), options));
}

/** The messages that a ws server reads in `wire`. */
async function readByWs(wire: Buffer): Promise<Buffer[]> {
  const receiver = new Receiver({ isServer: true });
  const messages: Buffer[] = [];
  receiver.on('message', (data: Buffer) => messages.push(Buffer.from(data)));
  receiver.end(Buffer.from(wire));
  await new Promise((resolve, reject) => {
    receiver.once('finish', resolve);
    receiver.once('error', reject);
  });
  return messages;
}
