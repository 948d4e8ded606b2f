import { connect as connectTcp } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLog } from '../../../src/telemetry/log.ts';
import { connect, finalPhones, startMessage } from '../../kit/server/client.ts';
import { handshake } from '../../kit/server/handshake.ts';
import { serve } from '../../kit/server/serve.ts';

/** Nobody answers the offer, so that what is compressed all the same is a breach. */
const offering = handshake(['Sec-WebSocket-Extensions: permessage-deflate']);

/** How a frame differs from a whole one of text that is masked; without a mask: `bare`. */
type Frame = { opcode?: number; fin?: boolean; reserved?: number; mask?: readonly number[] | 'bare' };

const breaches: [what: string, bytes: Buffer, close: number, why: string][] = [
  ['pings in pieces', frame('x', { opcode: 9, fin: false }), 1002, 'a control frame came in pieces'],
  ['pings with 126 bytes', frame('x'.repeat(126), { opcode: 9 }), 1002, 'a control frame had more than 125 bytes'],
  [
    'compresses',
    frame('x'.repeat(2000), { reserved: 0x40 }),
    1002,
    'a frame was compressed, which nobody had agreed on',
  ],
  ['sets a reserved bit', frame('{}', { reserved: 0x20 }), 1002, 'a frame had reserved bits'],
  ['goes on with nothing', frame('x', { opcode: 0 }), 1002, 'a frame was of no kind that could come then'],
  ['sends an unknown kind', frame('x', { opcode: 3 }), 1002, 'a frame was of no kind that could come then'],
  [
    'begins a message within another',
    Buffer.concat([frame('a', { fin: false }), frame('b')]),
    1002,
    'a frame was of no kind that could come then',
  ],
  ['does not mask', frame('{}', { mask: 'bare' }), 1002, 'a frame was not masked'],
  ['closes with a code of nobody', closing(1005), 1002, 'it closed with a code that nobody may send'],
  ['closes with half a code', frame('x', { opcode: 8 }), 1002, 'a control frame had more than 125 bytes'],
  ['closes with no UTF-8', frame([3, 0xe8, 0xff], { opcode: 8 }), 1007, 'a text was no UTF-8'],
  ['says no UTF-8', frame([0xff, 0xfe]), 1007, 'a text was no UTF-8'],
  ['says a text of a byte a frame', pieces('a', 5000), 1008, 'a message came in too many pieces'],
  ['says nothing, in pieces', pieces('', 5000), 1008, 'a message came in too many pieces'],
  ['announces 2 MiB', announced(2 ** 21), 1009, 'a message was longer than any may be'],
  ['announces 2^63 bytes', announced(2n ** 63n), 1009, 'a frame was longer than any may be'],
  [
    'speaks HTTP',
    Buffer.from('GET /metrics HTTP/1.1\r\n\r\n'),
    1002,
    'a frame was compressed, which nobody had agreed on',
  ],
];

describe('a client that breaks the WebSocket protocol', () => {
  it.each(breaches)('and %s is closed, counted and logged', async (_, bytes, close, why) => {
    const lines: string[] = [];
    const server = await serve({ log: createLog('warn', { write: (text: string) => lines.push(text) }) });
    expect(await closedWith(server.port, bytes)).toBe(close);
    const line = { close, why, msg: 'a socket broke the WebSocket protocol' };
    expect(lines.map((text): object => JSON.parse(text))).toEqual([expect.objectContaining(line)]);
    const metrics = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
    expect(metrics).toContain(`speechfb_broken_sockets_total{code="${close}"} 1\n`);
    expect(metrics).not.toMatch(/speechfb_refusals_total\{code="\w+"\} [1-9]/);
  });

  it('however many do, disturbs nobody who reads', async () => {
    const server = await serve();
    const healthy = await connect(server.url);
    healthy.send(startMessage());
    healthy.frames(0, 19);
    await Promise.all(
      breaches.flatMap(([, bytes]) => [closedWith(server.port, bytes), closedWith(server.port, bytes)]),
    );
    healthy.frames(20, 39);
    healthy.send({ type: 'close', last_seq: 39 });
    expect(await healthy.closed).toEqual({ code: 1000, reason: 'done' });
    expect(finalPhones(healthy.events)).toHaveLength(4);
    await expect.poll(() => server.stats()).toMatchObject({ sessions: 0, sockets: 0 });
  });

  it('is no client that masks with zeros', async () => {
    const server = await serve();
    const bytes = frame('{"type":"finalize"}', { mask: [0, 0, 0, 0] });
    // The message is heard, and refused for what it says.
    expect(await closedWith(server.port, bytes)).toBe(4400);
  });
});

/** Opens a WebSocket, sends bytes, and reads until the server closes. @returns its close code */
function closedWith(port: number, bytes: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp(port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.on('error', reject);
    let heard = Buffer.alloc(0);
    socket.on('data', (data) => {
      heard = Buffer.concat([heard, data]);
      const code = closeCode(heard.subarray(heard.indexOf('\r\n\r\n') + 4));
      if (code === undefined) return;
      resolve(code);
      socket.destroy();
    });
    socket.on('close', () => reject(new Error(`cut without a close frame: ${heard.toString('latin1')}`)));
    socket.write(offering);
    socket.write(bytes);
  });
}

/** The code of the close frame behind the frames of text before it; undefined: it has not come. */
function closeCode(frames: Buffer): number | undefined {
  for (let at = 0; at + 4 <= frames.length; ) {
    if (frames[at] === 0x88) return frames.readUInt16BE(at + 2);
    const short = frames[at + 1]!;
    at += short === 126 ? 4 + frames.readUInt16BE(at + 2) : 2 + short;
  }
  return undefined;
}

function frame(
  payload: string | readonly number[],
  { opcode = 1, fin = true, reserved = 0, mask = [1, 2, 3, 4] }: Frame = {},
): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : Buffer.from(payload);
  const isBare = mask === 'bare';
  const bit = isBare ? 0 : 0x80;
  const length = bytes.length < 126 ? [bit | bytes.length] : [bit | 126, bytes.length >> 8, bytes.length & 255];
  const head = [(fin ? 0x80 : 0) | reserved | opcode, ...length, ...(isBare ? [] : mask)];
  return Buffer.concat([Buffer.from(head), isBare ? bytes : bytes.map((byte, at) => byte ^ mask[at % 4]!)]);
}

function closing(code: number): Buffer {
  return frame([code >> 8, code & 255], { opcode: 8 });
}

/** A message that does not end. */
function pieces(each: string, count: number): Buffer {
  return Buffer.concat([frame(each, { fin: false }), ...Array(count).fill(frame(each, { opcode: 0, fin: false }))]);
}

/** The head of a frame of so many bytes. */
function announced(bytes: number | bigint): Buffer {
  const head = Buffer.alloc(14);
  head.set([0x82, 0xff]);
  head.writeBigUInt64BE(BigInt(bytes), 2);
  return head;
}
