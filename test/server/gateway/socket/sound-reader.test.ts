import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { SoundReader } from '../../../../src/server/gateway/socket/sound-reader.ts';

describe('a reader of sound before ws', () => {
  it('hears what ws alone hears, however a stream is cut and whatever breaks it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(frames, { maxLength: 12 }), cuts, async (sent, lengths) => {
        const pieces = cut(Buffer.concat(sent.flat()), lengths);
        expect(await heard(pieces, 'reader')).toEqual(await heard(pieces, 'ws'));
      }),
      { numRuns: 150, seed: 14 },
    );
  });

  it('hears the same when a message closes the socket, and when one lets somebody else hear', async () => {
    const told = fc.constantFrom('close', 'stop');
    await fc.assert(
      fc.asyncProperty(fc.array(whole, { maxLength: 6 }), cuts, told, async (sent, lengths, what) => {
        const all = [...sent.slice(0, 3), [frame(1, Buffer.from(what))], ...sent.slice(3)];
        const pieces = cut(Buffer.concat(all.flat()), lengths);
        expect(await heard(pieces, 'reader')).toEqual(await heard(pieces, 'ws'));
      }),
      { numRuns: 100, seed: 15 },
    );
  });

  it('leaves ws nothing to do with whole frames of sound', async () => {
    const sound = [200, 664, 4000].map((bytes) => frame(2, Buffer.alloc(bytes, 7)));
    const log = await heard([sound[0]!, Buffer.concat(sound)], 'reader', 'tells');
    expect(log).toEqual(['read 200', 'read 200', 'read 664', 'ws 4000', 'cut', 'close 1006']);
  });

  it('stands back where somebody reads the stream already', () => {
    const transport = new Duplex({ read() {} });
    for (let i = 0; i < 2; i++) transport.on('data', () => {});
    expect(SoundReader.before({} as WebSocket, transport, 1000, () => {})).toBeUndefined();
    expect(transport.listenerCount('data')).toBe(2);
  });
});

/** A masked frame, `first` its first byte below FIN. */
function frame(first: number, payload: Buffer, { fin = true, masked = true } = {}): Buffer {
  const key = Buffer.from([0x12, 0xa7, 0xff, 0x03]);
  const head = [first | (fin ? 0x80 : 0)];
  const bit = masked ? 0x80 : 0;
  if (payload.length < 126) head.push(bit | payload.length);
  else if (payload.length < 65_536) head.push(bit | 126, payload.length >> 8, payload.length & 255);
  else head.push(bit | 127, 0, 0, 0, 0, 0, payload.length >> 16, (payload.length >> 8) & 255, payload.length & 255);
  const body = masked ? payload.map((byte, i) => byte ^ key[i & 3]!) : payload;
  return Buffer.concat([Buffer.from(head), masked ? key : Buffer.alloc(0), body]);
}

const bytes = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength }).map((array) => Buffer.from(array));
const sound = bytes(126, 1300).map((payload) => [frame(2, payload)]);
const text = fc.string().map((said) => [frame(1, Buffer.from(said))]);
const ping = bytes(0, 125).map((payload) => [frame(9, payload)]);
/** A message in three pieces, with a ping between them and sound that may not be there. */
const fragments = fc
  .tuple(bytes(0, 300), bytes(0, 20), bytes(0, 300), fc.boolean())
  .map(([a, b, c, isRude]) => [
    frame(2, a, { fin: false }),
    frame(9, b),
    frame(0, b, { fin: false }),
    ...(isRude ? [frame(2, Buffer.alloc(200))] : []),
    frame(0, c),
  ]);
const long = fc.constantFrom(3000, 5001, 70_000).map((length) => [frame(2, Buffer.alloc(length, 9))]);
const whole = fc.oneof(
  { weight: 4, arbitrary: sound },
  text,
  ping,
  bytes(0, 125).map((short) => [frame(2, short)]),
);
const broken = fc.oneof(
  fc.constant([frame(1, Buffer.from([0xc3, 0x28]))]),
  fc.constant([frame(2, Buffer.alloc(200), { masked: false })]),
  fc.constant([frame(8, Buffer.from([3, 232]))]),
  fc.constant([frame(0, Buffer.alloc(130))]),
  bytes(1, 40).map((garbage) => [garbage]),
);
const frames = fc.oneof({ weight: 8, arbitrary: whole }, { weight: 2, arbitrary: fragments }, long, broken);
/** Lengths of the pieces of a stream, over and over; most hold several frames or a part of one. */
const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 100, max: 3000 })), { minLength: 1 });

function cut(stream: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, i = 0; at < stream.length; i++) {
    const length = lengths[i % lengths.length]!;
    pieces.push(stream.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

/** What is heard and answered of a stream that comes in these pieces, a turn each. */
async function heard(
  pieces: readonly Buffer[],
  by: 'reader' | 'ws',
  who: 'tells' | 'hides' = 'hides',
): Promise<string[]> {
  const log: string[] = [];
  const transport = new Duplex({
    read() {},
    write(chunk: Buffer, _, done) {
      if (!chunk.toString('latin1').startsWith('HTTP')) log.push(`answered ${chunk.toString('hex')}`);
      done();
    },
  });
  const socket = await upgraded(transport);
  const closed = new Promise((resolve) => socket.on('close', resolve));
  let reader: SoundReader | undefined;
  const take = (data: Buffer, isBinary: boolean, from: string): void => {
    const as = isBinary ? `${data.length} ${data.toString('hex')}` : data.toString();
    log.push(who === 'tells' ? `${from} ${data.length}` : as);
    if (as === 'close') socket.close(4000, 'bye');
    if (as !== 'stop') return;
    reader?.stop();
    socket.removeAllListeners('message');
    socket.on('message', (data: Buffer) => log.push(`else ${data.toString('hex')}`));
  };
  socket.on('message', (data: Buffer, isBinary) => take(data, isBinary, 'ws'));
  socket.on('ping', (data: Buffer) => log.push(`ping ${data.toString('hex')}`));
  socket.on('error', (error: NodeJS.ErrnoException) => log.push(`error ${error.code}`));
  socket.on('close', (code) => log.push(`close ${code}`));
  if (by === 'reader') {
    reader = SoundReader.before(socket, transport, 2000, (data) => take(data, true, 'read'));
    expect(reader).toBeDefined();
  }
  for (const piece of pieces) {
    transport.push(Buffer.from(piece));
    await new Promise((done) => setImmediate(done));
  }
  log.push('cut');
  socket.terminate();
  await closed;
  return log;
}

function upgraded(transport: Duplex): Promise<WebSocket> {
  const headers = {
    upgrade: 'websocket',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    'sec-websocket-version': '13',
  };
  const request = { method: 'GET', headers } as unknown as IncomingMessage;
  const options = { noServer: true, perMessageDeflate: false, autoPong: false, maxPayload: 5000 };
  return new Promise((resolve) => {
    new WebSocketServer(options).handleUpgrade(request, transport, Buffer.alloc(0), resolve);
  });
}
