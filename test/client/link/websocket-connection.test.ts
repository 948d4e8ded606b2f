import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { describe, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import type { LinkTarget } from '../../../src/client/link/websocket-connection.ts';
import { socketLinks } from '../../../src/client/link/websocket-connection.ts';
import { decodeFrame, encodeFrame } from '../../../src/protocol/frame.ts';
import { localhostTls } from '../../kit/localhost.ts';

const { certificate, key } = localhostTls;

describe.concurrent('a WebSocket connection', () => {
  it('sends frames and texts, and hears texts whole however large', async ({ expect }) => {
    const server = await serve();
    const client = await connect(server.target);
    const payload = new Uint8Array(640).map((_, i) => i);
    const plain = { codec: 'pcm_s16le', flags: 0, epoch: 0, seq: 5, firstSample: 1600, payload } as const;
    const crc32 = encodeFrame(plain).readUInt32LE(12);
    for (let i = 0; i < 300; i++) client.socket.send({ ...plain, seq: i, crc32 });
    client.socket.send('ü'.repeat(50_000));
    const [peer] = server.peers;
    while (server.heard.length < 301) await once(peer!, 'message');
    const seqs = server.heard.slice(0, 300).map((bytes) => {
      const decoded = decodeFrame(bytes);
      return decoded.ok && decoded.frame.seq;
    });
    expect(seqs).toEqual(Array.from({ length: 300 }, (_, i) => i));
    expect(String(server.heard[300])).toBe('ü'.repeat(50_000));
    peer!.send('é'.repeat(100_000));
    expect(await client.next('text')).toBe('é'.repeat(100_000));
    await server.close();
  });

  it('hears pings and pongs, and answers as it is told', async ({ expect }) => {
    const server = await serve();
    const client = await connect(server.target);
    const [peer] = server.peers;
    peer!.ping('x');
    expect(await client.next('ping')).toBe('x');
    const ponged = once(peer!, 'pong');
    client.socket.pong(Buffer.from('x'));
    expect(String((await ponged)[0])).toBe('x');
    client.socket.ping();
    await client.next('pong');
    await server.close();
  });

  it.for([
    ['closes with a code and a reason', (peer: WebSocket) => peer.close(4503, 'no room'), '4503 no room'],
    ['closes with neither', (peer: WebSocket) => peer.close(), '1005 '],
    ['goes away without a word', (peer: WebSocket) => peer.terminate(), '1006 '],
  ] as const)('of which the server %s says so', async ([, end, said], { expect }) => {
    const server = await serve();
    const client = await connect(server.target);
    end(server.peers[0]!);
    expect(await client.next('closed')).toBe(said);
    await server.close();
  });

  it('says what the server answered when it refuses the upgrade', async ({ expect }) => {
    const http = createServer((_, response) => response.writeHead(503).end('busy'));
    http.on('upgrade', (_, socket) => socket.end('HTTP/1.1 503 Busy\r\n\r\n'));
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const client = open({ url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}/v1/stream`, token: undefined });
    expect(await client.next('closed')).toBe(
      '1006 the server refuses the connection: it is full, or goes away (HTTP 503)',
    );
    http.close();
  });

  it('says why when nobody listens', async ({ expect }) => {
    const client = open({ url: 'ws://127.0.0.1:9/v1/stream', token: undefined });
    expect(await client.next('closed')).toContain('ECONNREFUSED');
  });

  it('says what a server that is none sends', async ({ expect }) => {
    const tcp = createTcpServer((socket) => socket.end('SSH-2.0-x\r\n\r\n'));
    tcp.listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const client = open({ url: `ws://127.0.0.1:${(tcp.address() as AddressInfo).port}/v1/stream`, token: undefined });
    expect(await client.next('closed')).toContain('speaks no HTTP');
    tcp.close();
  });

  it('that is terminated says nothing more', async ({ expect }) => {
    const server = await serve();
    const client = await connect(server.target);
    const closed = once(server.peers[0]!, 'close');
    client.socket.terminate();
    await closed;
    expect(client.heard.filter(({ what }) => what === 'closed')).toEqual([]);
    await server.close();
  });

  it('over TLS trusts whom it is told to trust, and nobody else', async ({ expect }) => {
    const server = await serve({ tls: true });
    const trusting = await connect({ ...server.target, tls: { ca: certificate } });
    trusting.socket.send('hello');
    while (server.heard.length === 0) await once(server.peers[0]!, 'message');
    expect(String(server.heard[0])).toBe('hello');
    server.peers[0]!.send('back');
    expect(await trusting.next('text')).toBe('back');
    expect(await open(server.target).next('closed')).toMatch(/self.signed|unable to verify/i);
    await connect({ ...server.target, tls: { insecure: true } });
    await server.close();
  });
});

async function serve({ tls = false } = {}) {
  const http = tls ? createTlsServer({ cert: certificate, key }) : createServer();
  const sockets = new WebSocketServer({ server: http, autoPong: false });
  const peers: WebSocket[] = [];
  const heard: Buffer[] = [];
  sockets.on('connection', (peer) => {
    peers.push(peer);
    peer.on('message', (data: Buffer) => heard.push(Buffer.from(data)));
    peer.on('ping', () => peer.pong());
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  const target: LinkTarget = { url: `${tls ? 'wss' : 'ws'}://localhost:${port}/v1/stream`, token: undefined };
  const close = async () => {
    for (const peer of peers) peer.terminate();
    sockets.close();
    http.close();
    await once(http, 'close');
  };
  return { target, peers, heard, close };
}

async function connect(target: LinkTarget) {
  const client = open(target);
  await client.next('opened');
  return client;
}

/** A connection and what it told, each thing to be taken once. */
function open(target: LinkTarget) {
  const heard: { what: string; said: string }[] = [];
  let wake = () => {};
  const hear = (what: string) => (said?: unknown) => {
    heard.push({ what, said: said === undefined ? '' : String(said) });
    wake();
  };
  const socket = socketLinks(
    target,
    performance.now.bind(performance),
  )({
    opened: () => hear('opened')(),
    message: (bytes, begin, end) => hear('text')(bytes.toString('utf8', begin, end)),
    binary: () => hear('binary')(),
    ping: (data) => hear('ping')(Buffer.from(data)),
    pong: () => hear('pong')(),
    closed: (code, reason) => hear('closed')(`${code} ${reason}`),
  });
  const next = async (what: string): Promise<string> => {
    for (;;) {
      const index = heard.findIndex((one) => one.what === what);
      if (index >= 0) return heard.splice(index, 1)[0]!.said;
      await new Promise<void>((done) => {
        wake = done;
      });
    }
  };
  return { socket, heard, next };
}
