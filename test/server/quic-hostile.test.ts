import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { dialQuic } from '../../src/quic/dial.ts';
import type { RunningServer } from '../../src/server/gateway/server.ts';
import { createRandomStream } from '../../src/stats/random-stream.ts';
import { localhostTls } from '../kit/localhost.ts';
import { quicLack } from '../kit/quic-lack.ts';
import { connect, startMessage, type TestClient } from '../kit/server/client.ts';
import { Learner } from '../kit/server/learner.ts';
import { metricsByTls } from '../kit/server/metrics-by-tls.ts';
import { serve } from '../kit/server/serve.ts';

const tls = { ca: localhostTls.certificate };
/** The least that the first datagram of a client has (RFC 9000, section 14.1). */
const leastBytes = 1200;

describe.skipIf(quicLack !== undefined)('a server of QUIC', () => {
  it('hears its learners through 10,000 datagrams that are none of QUIC, or of no connection', async () => {
    const server = await serveQuic();
    const others = [
      await speaker(server),
      new Learner(() => [server.url], { transport: 'quic-datagram', tls }),
    ] as const;
    await others[1].speak(0, 9);
    const attacker = await bound();
    const random = createRandomStream(7);
    let sentBytes = 0;
    for (let sent = 0; sent < 10_000; sent++) {
      const bytes = Buffer.alloc(1 + Math.floor(random() * leastBytes));
      for (let at = 0; at < Math.min(bytes.length, 40); at++) bytes[at] = Math.floor(random() * 256);
      sentBytes += bytes.length;
      attacker.socket.send(bytes, server.port, '127.0.0.1');
      if (sent % 100 === 0) await turn();
    }
    await others[0].say(10);
    await others[1].speak(10, 30);
    expect(await others[1].finish()).toMatchObject({ outcome: 'closed', code: 1000 });
    expect(attacker.received()).toBeLessThan(sentBytes);
  });

  it('answers less than was sent to whoever speaks another version, or sends too little', async () => {
    const server = await serveQuic();
    const attacker = await bound();
    for (let count = 0; count < 20; count++) {
      attacker.socket.send(longHeader(0xbabababa, leastBytes), server.port, '127.0.0.1');
      attacker.socket.send(longHeader(1, 100), server.port, '127.0.0.1');
    }
    // Who comes behind them is heard behind them.
    const learner = new Learner(() => [server.url], { transport: 'quic-stream', tls });
    await learner.speak(0, 30);
    expect(attacker.received()).toBeLessThan(20 * (leastBytes + 100));
  });

  it('answers three times what an address sent at most, until that has shown that it is there', async () => {
    const server = await serveQuic();
    const unheard = await bound();
    const { port } = unheard.socket.address();
    const client = dialQuic({ host: 'localhost', port, insecure: true, handshakeMs: 30_000 });
    client.on('error', () => {});
    onTestFinished(() => void client.destroy());
    const [first] = (await once(unheard.socket, 'message')) as [Buffer];
    expect(first.length).toBeGreaterThanOrEqual(leastBytes);
    const attacker = await bound();
    attacker.socket.send(first, server.port, '127.0.0.1');
    await once(attacker.socket, 'message');
    // The client tries again after some time, and again after twice that: so does the server.
    for (let tries = 0; tries < 3; tries++) await once(unheard.socket, 'message');
    expect(attacker.received()).toBeLessThanOrEqual(3 * first.length);
    await (await speaker(server)).say(10);
  });

  it('takes nothing from whoever sends again all that another has sent', async () => {
    const server = await serveQuic();
    const tap = await tapOf(server);
    const learner = new Learner(() => [tap.url], { transport: 'quic-datagram', tls });
    await learner.speak(0, 30);
    const attacker = await bound();
    for (const bytes of tap.sent) attacker.socket.send(bytes, server.port, '127.0.0.1');
    for (const bytes of tap.sent) tap.again(bytes);
    await learner.speak(31, 40);
    expect(await learner.finish()).toMatchObject({ outcome: 'closed', code: 1000 });
    expect(learner.broken).toEqual([]);
    await expect.poll(() => counted(server, 'frames_total{outcome="accepted"}')).toBe(41);
    expect(await counted(server, 'frames_total{outcome="duplicate"}')).toBe(0);
    expect(await counted(server, 'carriers_total{transport="quic"}')).toBe(1);
  });

  it.each(['quic-stream', 'quic-datagram'] as const)(
    'goes on by %s with who has another port',
    async (transport) => {
      const server = await serveQuic();
      const tap = await tapOf(server);
      const learner = new Learner(() => [tap.url], { transport, tls });
      await learner.speak(0, 30);
      await tap.move();
      learner.say(31, 60);
      await expect.poll(() => learner.client.unacked, { timeout: 20_000 }).toBe(0);
      expect(await learner.finish()).toMatchObject({ outcome: 'closed', code: 1000 });
      expect(learner.broken).toEqual([]);
      expect(learner.of('utterance_final')).toHaveLength(1);
    },
    30_000,
  );

  it('frees the place of whoever breaks off in the middle, and keeps the session', async () => {
    const server = await serveQuic({ limits: { maxConnections: 2 } });
    for (let count = 0; count < 6; count++) {
      const socket = dialQuic({ host: 'localhost', port: server.port, insecure: true, handshakeMs: 5000 });
      const client = await connect(`ws://localhost:${server.port}/v1/stream`, { over: socket });
      client.send(startMessage());
      await client.until('ready');
      client.frames(0, 3);
      socket.destroy();
      await expect.poll(() => server.stats().sockets, { timeout: 20_000 }).toBe(0);
    }
    expect(server.stats().sessions).toBe(6);
  });
});

async function serveQuic(changes: Parameters<typeof serve>[0] = {}): Promise<RunningServer> {
  return await serve({ tls: localhostTls, quicPort: 0, ...changes });
}

/** A healthy session by TCP. */
async function speaker({ url }: RunningServer): Promise<{ client: TestClient; say(count: number): Promise<void> }> {
  const client = await connect(url);
  client.send(startMessage());
  await client.until('ready');
  let next = 0;
  const say = async (count: number): Promise<void> => {
    client.frames(next, next + count - 1);
    next += count;
    await client.until('ack', ({ next_seq }) => next_seq === next);
  };
  await say(10);
  return { client, say };
}

async function bound(): Promise<{ socket: Socket; received(): number }> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  onTestFinished(() => void socket.close());
  let bytes = 0;
  socket.on('message', (message) => {
    bytes += message.length;
  });
  await once(socket, 'listening');
  return { socket, received: () => bytes };
}

/** A path to the server's UDP port that remembers what a client sends, and can have another port. */
async function tapOf(server: RunningServer) {
  const inner = await bound();
  let outer = await bound();
  let client: number | undefined;
  const sent: Buffer[] = [];
  const back = (bytes: Buffer): void => {
    if (client !== undefined) inner.socket.send(bytes, client, '127.0.0.1');
  };
  const again = (bytes: Buffer): void => void outer.socket.send(bytes, server.port, '127.0.0.1');
  inner.socket.on('message', (bytes, { port }) => {
    client = port;
    sent.push(bytes);
    again(bytes);
  });
  outer.socket.on('message', back);
  const move = async (): Promise<void> => {
    outer = await bound();
    outer.socket.on('message', back);
  };
  return { url: `wss://localhost:${inner.socket.address().port}/v1/stream`, sent, again, move };
}

/** A packet with a long header of this version, from and to connections that nobody knows. */
function longHeader(version: number, bytes: number): Buffer {
  const packet = Buffer.alloc(bytes);
  packet[0] = 0xc0;
  packet.writeUInt32BE(version, 1);
  packet[5] = 8;
  packet[14] = 8;
  return packet;
}

/** What the server has counted by this name; 0: nothing. */
async function counted({ url }: RunningServer, name: string): Promise<number> {
  const lines = (await metricsByTls(url)).split('\n');
  return Number(lines.find((line) => line.startsWith(`speechfb_${name} `))?.split(' ')[1] ?? 0);
}
