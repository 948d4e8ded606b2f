import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { CorkedSocket } from '../../../../src/server/gateway/socket/corked-socket.ts';

describe('a socket that writes once a turn', () => {
  it('sends whatever texts as the messages that they are, in order', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc
        .tuple(fc.constantFrom('a', 'é', '音', '🎤'), fc.constantFrom(124, 125, 126, 127, 300))
        .map(([one, n]) => one.repeat(n)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(text, { maxLength: 4 }), { maxLength: 4 }), async (turns) => {
        const { corked, close } = await connect((said) => heard.push(said));
        const heard: string[] = [];
        for (const texts of turns) {
          for (const one of texts) corked.write(one);
          await new Promise((done) => setImmediate(done));
        }
        await close(corked);
        expect(heard).toEqual(turns.flat().map((one) => `text ${one}`));
      }),
      { numRuns: 30 },
    );
  });

  it.each([65_535, 65_536, 300_000])('sends a text of %d bytes', async (bytes) => {
    const heard: string[] = [];
    const { corked, close } = await connect((said) => heard.push(said));
    corked.write('é'.repeat(bytes >> 1) + 'e'.repeat(bytes & 1));
    await close(corked);
    expect(Buffer.byteLength(heard[0]!) - 5).toBe(bytes);
  });

  it('pings behind what was written, so that the answer confirms it', async () => {
    const heard: string[] = [];
    const { corked, close } = await connect((said) => heard.push(said));
    corked.write('first');
    corked.ping('1');
    corked.write('second');
    await close(corked);
    expect(heard).toEqual(['text first', 'ping 1', 'text second']);
  });

  it('cuts who was told to go and sends on and on, and reads out what was on its way', () => {
    const transport = new PassThrough();
    let cuts = 0;
    const open = { OPEN: 1, readyState: 1, bufferedAmount: 0, close() {}, terminate: () => void cuts++ };
    const corked = new CorkedSocket(open as unknown as WebSocket, transport, () => {});
    transport.emit('data', Buffer.alloc(2 ** 21));
    corked.close(1000, 'done');
    corked.close(1000, 'done');
    transport.emit('data', Buffer.alloc(2 ** 20));
    expect(cuts).toBe(0);
    transport.emit('data', Buffer.alloc(1));
    expect(cuts).toBe(1);
  });

  it('makes one write of a turn, and counts what waits for it', async () => {
    const written: Buffer[] = [];
    const transport = new PassThrough();
    transport.on('data', (part: Buffer) => written.push(part));
    const open = {
      OPEN: 1,
      readyState: 1,
      get bufferedAmount() {
        return transport.writableLength;
      },
    };
    let told = 0;
    const corked = new CorkedSocket(open as unknown as WebSocket, transport, () => void told++);
    corked.write('one');
    corked.write('two');
    expect(corked.unsentBytes()).toBe(10);
    await new Promise((done) => setImmediate(done));
    expect(written.map(String)).toEqual(['\u{fffd}\u0003one\u{fffd}\u0003two']);
    expect([corked.unsentBytes(), told]).toEqual([0, 1]);
  });

  it('writes nothing to a socket that is closing', async () => {
    const heard: string[] = [];
    const { corked, close } = await connect((said) => heard.push(said));
    corked.write('before');
    corked.close(1000, 'done');
    corked.write('after');
    await close(corked);
    expect(heard).toEqual(['text before']);
  });
});

/** A corked socket of a server, and a client that tells what it hears. */
async function connect(hear: (said: string) => void) {
  const http = createServer();
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const corked = new Promise<CorkedSocket>((resolve) => {
    http.on('upgrade', (request, transport, head) => {
      sockets.handleUpgrade(request, transport, head, (socket) => {
        resolve(new CorkedSocket(socket, transport, () => {}));
      });
    });
  });
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  const client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`);
  client.on('message', (data) => hear(`text ${data}`));
  client.on('ping', (data) => hear(`ping ${data}`));
  const closed = new Promise<void>((done) => client.on('close', () => done()));
  return {
    corked: await corked,
    /** Resolves when all was heard. */
    async close(of: CorkedSocket): Promise<void> {
      of.close(1000, 'done');
      await closed;
      await new Promise((done) => http.close(done));
    },
  };
}
