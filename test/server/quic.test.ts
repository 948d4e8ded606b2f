import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { encodeFrame } from '../../src/protocol/frame.ts';
import { dialQuic } from '../../src/quic/dial.ts';
import { QuicSocket } from '../../src/quic/quic-socket.ts';
import { parseTokens } from '../../src/server/admission/tokens.ts';
import type { RunningServer, ServerOptions } from '../../src/server/gateway/server.ts';
import { localhostTls, renewedTls } from '../kit/localhost.ts';
import { quicLack } from '../kit/quic-lack.ts';
import { connect, startMessage, type TestClient } from '../kit/server/client.ts';
import { Learner, told } from '../kit/server/learner.ts';
import { metricsByTls } from '../kit/server/metrics-by-tls.ts';
import { serve } from '../kit/server/serve.ts';

const tls = { ca: localhostTls.certificate };
const transports = ['quic-stream', 'quic-datagram'] as const;

it('there is a library to try QUIC with on CI', () => {
  if (process.env.CI) expect(quicLack).toBeUndefined();
});

afterEach(() => void vi.restoreAllMocks());

describe.skipIf(quicLack !== undefined)('a session by QUIC', () => {
  it.each([
    ['quic-stream', 0],
    ['quic-datagram', 25],
  ] as const)('is heard by %s, and hears all', async (transport, leastDatagrams) => {
    const server = await serveQuic();
    const learner = new Learner(() => [server.url], { transport, tls });
    await learner.speak(0, 25);
    // An ack comes behind the answer to the ping behind `start`: from here on all go as datagrams.
    await learner.speak(26, 50);
    expect(await learner.finish()).toMatchObject({ outcome: 'closed', code: 1000 });
    expect(learner.broken).toEqual([]);
    await expect.poll(() => counted(server, 'carriers_total{transport="quic"}')).toBe(1);
    await expect.poll(() => counted(server, 'frames_total{outcome="accepted"}')).toBe(51);
    // Metrics are made anew ten times a second: these are of now, like the frames before.
    const heard = await counted(server, 'datagrams_total{outcome="heard"}');
    expect(heard).toBeGreaterThanOrEqual(leastDatagrams);
    if (leastDatagrams === 0) expect(heard).toBe(0);
  });

  it.each(transports)('goes on by %s after a cut, and tells what it would have told', async (transport) => {
    const server = await serveQuic();
    const [whole, cut] = [0, 1].map(() => new Learner(() => [server.url], { transport, tls }));
    for (const learner of [whole!, cut!]) {
      await learner.speak(0, 30);
      if (learner === cut) {
        learner.client.cut();
        learner.say(31, 40);
        await learner.until('ready', 2);
      }
      await learner.speak(learner === cut ? 41 : 31, 60);
      expect(await learner.finish()).toMatchObject({ outcome: 'closed', code: 1000 });
      expect(learner.broken).toEqual([]);
    }
    expect(cut!.of('ready').map(({ resumed }) => resumed)).toEqual([false, true]);
    expect(told(cut!.events)).toEqual(told(whole!.events));
    expect(cut!.of('info')).toEqual([]);
  });

  it('goes on without the datagrams that are lost, and puts those in order that overtake one another', async () => {
    const server = await serveQuic();
    const learner = new Learner(() => [server.url], { transport: 'quic-datagram', tls });
    await learner.speak(0, 0);
    await expect.poll(() => counted(server, 'frames_total{outcome="accepted"}')).toBe(1);
    const before = await counted(server, 'datagrams_total{outcome="heard"}');
    const send = QuicSocket.prototype.sendDatagram;
    const held: Uint8Array[] = [];
    let tried = 0;
    vi.spyOn(QuicSocket.prototype, 'sendDatagram').mockImplementation(function (this: QuicSocket, bytes) {
      tried += 1;
      if (tried % 10 === 3) return true;
      if (tried % 10 === 6) return held.push(bytes) > 0;
      return send.call(this, bytes) && held.splice(0).every((late) => send.call(this, late));
    });
    learner.say(1, 50);
    expect(tried).toBe(50);
    await expect.poll(() => counted(server, 'datagrams_total{outcome="heard"}')).toBe(before + 45);
    expect(await learner.finish()).toMatchObject({ outcome: 'closed', code: 1000 });
    await expect.poll(() => counted(server, 'lost_frames_total')).toBe(5);
    const gaps = learner.of('info').filter(({ code }) => code === 'audio_gap');
    expect(gaps.map(({ message }) => message.split(',')[0])).toEqual(Array(5).fill('1 frames never came'));
    expect(learner.of('utterance_final')).toHaveLength(1);
  });

  it('hears no datagram before it is there, and each frame once, by whichever way it came', async () => {
    const server = await serveQuic();
    const { client, socket } = await raw(server);
    socket.sendDatagram(frame(0));
    await expect.poll(() => counted(server, 'datagrams_total{outcome="early"}')).toBe(1);
    client.send(startMessage());
    await client.until('ready');
    client.frame(0);
    socket.sendDatagram(frame(1));
    await client.until('ack', ({ next_seq }) => next_seq === 2);
    socket.sendDatagram(frame(1));
    client.frame(1);
    await expect.poll(() => counted(server, 'frames_total{outcome="duplicate"}')).toBe(2);
  });

  it('ends as others do when the server is drained', async () => {
    const server = await serveQuic();
    const learner = new Learner(() => [server.url], { transport: 'quic-datagram', tls });
    await learner.speak(0, 20);
    expect(await server.drain()).toEqual({ sessions: 1, finished: 1 });
    await expect.poll(() => learner.of('go_away').length).toBe(1);
    expect(learner.of('utterance_final')).toHaveLength(1);
  });
});

describe.skipIf(quicLack !== undefined)('who comes by QUIC', () => {
  it('is refused as by TCP: without a token, and at another path', async () => {
    const server = await serveQuic({ tokens: parseTokens('ada 0123456789abcdef0123456789abcdef', 'tokens') });
    await expect(raw(server)).rejects.toThrow(/401 a token is needed/);
    await expect(raw(server, '/v1/nowhere')).rejects.toThrow(/404 streams are at/);
  });

  it.each([
    ['no frame of sound', Buffer.from('no sound'), 'invalid_frame'],
    ['empty', Buffer.alloc(0), 'invalid_frame'],
    ['a frame of other sound', frame(0, 'pcm_f32le'), 'unsupported_audio'],
    ['a frame far ahead', frame(1_000_000), 'invalid_frame'],
  ])('is refused with a datagram that is %s', async (_, bytes, code) => {
    const { client, socket } = await raw(await serveQuic());
    client.send(startMessage());
    await client.until('ready');
    socket.sendDatagram(bytes);
    expect(await client.until('error')).toMatchObject({ code });
    await client.closed;
  });

  it('is refused with more datagrams than any sound needs', async () => {
    const server = await serveQuic({ limits: { framesPerSecond: 50, frameBurst: 20 } });
    const { client, socket } = await raw(server);
    client.send(startMessage());
    await client.until('ready');
    for (let seq = 0; seq < 200; seq++) socket.sendDatagram(frame(seq));
    expect(await client.until('error')).toMatchObject({ code: 'rate_limited' });
  });

  it('is told what is wrong with a stream that is no HTTP, and cut with one that says nothing', async () => {
    const server = await serveQuic({ limits: { handshakeTimeoutMs: 1500 } });
    const [garbage, half] = [dial(server), dial(server)];
    garbage.write('garbage\r\n\r\n');
    expect(await text(garbage)).toMatch(/^HTTP\/1.1 400 /);
    half.write('GET /v1/stream HTTP/1.1\r\n');
    expect(await text(half)).toMatch(/^HTTP\/1.1 408 /);
  });

  it('does not stay with a server whose certificate nobody vouches for', async () => {
    const { port } = await serveQuic();
    const socket = dialQuic({ host: 'localhost', port, ca: renewedTls.certificate, handshakeMs: 5000 });
    const [error] = await once(socket, 'error');
    expect(String(error)).toMatch(/signed by nobody who is trusted/);
  });

  it('needs a certificate, and a UDP port that is free', async () => {
    await expect(serve({ quicPort: 0 })).rejects.toMatchObject({ code: 'bad_tls' });
    const taken = createSocket('udp4').bind(0, '127.0.0.1');
    onTestFinished(() => void taken.close());
    await once(taken, 'listening');
    const quicPort = taken.address().port;
    const error = { code: 'port_in_use', message: `UDP port ${quicPort} on 127.0.0.1 is in use` };
    await expect(serve({ tls: localhostTls, quicPort })).rejects.toMatchObject(error);
  });
});

describe.skipIf(quicLack !== undefined)('a certificate that is renewed', () => {
  it('is shown by QUIC too, and whoever was cut for it goes on', async () => {
    const server = await serveQuic();
    const learners = transports.map((transport) => {
      return new Learner(() => [server.url], { transport, tls: { ca: `${tls.ca}\n${renewedTls.certificate}` } });
    });
    for (const learner of learners) await learner.speak(0, 30);
    server.renewTls(renewedTls);
    for (const learner of learners) learner.say(31, 40);
    for (const learner of learners) {
      await learner.until('ready', 2);
      await learner.speak(41, 60);
      expect(await learner.finish()).toMatchObject({ outcome: 'closed', code: 1000 });
      expect(learner.broken).toEqual([]);
      expect(learner.of('ready').map(({ resumed }) => resumed)).toEqual([false, true]);
      expect(learner.of('info')).toEqual([]);
    }
    const one = dialQuic({ host: 'localhost', port: server.port, ca: renewedTls.certificate, handshakeMs: 5000 });
    one.write('garbage\r\n\r\n');
    expect(await text(one)).toMatch(/^HTTP\/1.1 400 /);
    const other = dialQuic({ host: 'localhost', port: server.port, ca: localhostTls.certificate, handshakeMs: 5000 });
    const [error] = await once(other, 'error');
    expect(String(error)).toMatch(/signed by nobody who is trusted/);
  });

  it('is taken twice in a row, and as the server ends', async () => {
    const server = await serveQuic();
    server.renewTls(renewedTls);
    server.renewTls(localhostTls);
    server.renewTls(renewedTls);
    await server.close();
    const socket = createSocket('udp4').bind(server.port, '127.0.0.1');
    await once(socket, 'listening');
    socket.close();
  });
});

/** A server of QUIC and TCP at the same number. */
async function serveQuic(changes: Partial<ServerOptions> = {}): Promise<RunningServer> {
  return await serve({ tls: localhostTls, quicPort: 0, ...changes });
}

function dial({ port }: RunningServer): QuicSocket {
  return dialQuic({ host: 'localhost', port, insecure: true, handshakeMs: 5000 });
}

/** A WebSocket of another library over our socket of QUIC. */
async function raw(server: RunningServer, path = '/v1/stream'): Promise<{ client: TestClient; socket: QuicSocket }> {
  const socket = dial(server);
  return { socket, client: await connect(`ws://localhost:${server.port}${path}`, { over: socket }) };
}

/** 20 ms of silence. */
function frame(seq: number, codec: 'pcm_s16le' | 'pcm_f32le' = 'pcm_s16le'): Buffer {
  const payload = new Uint8Array(640);
  return encodeFrame({ codec, flags: 0, epoch: 0, seq, firstSample: seq * 320, payload });
}

/** What the server has counted by this name; 0: nothing. */
async function counted({ url }: RunningServer, name: string): Promise<number> {
  const lines = (await metricsByTls(url)).split('\n');
  return Number(lines.find((line) => line.startsWith(`speechfb_${name} `))?.split(' ')[1] ?? 0);
}
