import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { localhostTls } from '../kit/localhost.ts';
import { connect, startMessage } from '../kit/server/client.ts';
import { metricsByTls } from '../kit/server/metrics-by-tls.ts';
import { serve } from '../kit/server/serve.ts';

const half = 'GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n';

describe('a connection that brings no request', () => {
  it.each([
    ['says nothing', '', 408, /handshake_timeout_ms, 50 ms/],
    ['says half of one', half, 408, /handshake_timeout_ms, 50 ms/],
    ['has headers without end', `${half}x: ${'y'.repeat(20_000)}`, 431, /max_header_bytes, 16384 bytes/],
    ['speaks something else', 'SSH-2.0-OpenSSH\r\n\r\n', 400, /no HTTP request/],
  ])('that %s is told so and closed', async (_, words, status, sentence) => {
    // Only silence is waited for; whatever is said wrongly is answered first.
    const server = await serve({ limits: { handshakeTimeoutMs: status === 408 ? 50 : 30_000 } });
    const socket = open(server.port);
    socket.write(words);
    const answer = await text(socket);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toMatch(sentence);
    await expect.poll(async () => (await metrics(server)).includes('speechfb_refused_requests_total')).toBe(true);
  });

  it('is closed however steadily it dribbles', async () => {
    const server = await serve({ limits: { handshakeTimeoutMs: 100 } });
    const socket = open(server.port);
    socket.write(half);
    const dribble = setInterval(() => socket.write('x: y\r\n'), 5);
    socket.on('close', () => clearInterval(dribble));
    socket.on('error', () => {});
    expect(await text(socket)).toMatch(/^HTTP\/1.1 408 /);
  });

  it('makes room for one that does, however many there are', async () => {
    const server = await serve({ limits: { maxPendingConnections: 20 } });
    const silent = Array.from({ length: 100 }, () => open(server.port));
    let closed = 0;
    for (const socket of silent) socket.on('close', () => closed++);
    await expect.poll(() => closed).toBe(80);
    const client = await connect(server.url);
    client.send(startMessage());
    await client.until('ready');
    expect(await metrics(server)).toMatch(/speechfb_refused_requests_total\{reason="pending"\} 8\d/);
  });

  it('stays no longer under TLS', async () => {
    const server = await serve({ tls: localhostTls, host: '0.0.0.0', limits: { handshakeTimeoutMs: 500 } });
    const silent = open(server.port);
    await once(silent.resume(), 'close');
    const timeouts = 'speechfb_refused_requests_total{reason="timeout"} 1\n';
    expect(await metricsByTls(server.url)).toContain(timeouts);
    const secure = connectTls({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false });
    onTestFinished(() => void secure.destroy());
    secure.write(half);
    expect(await text(secure)).toMatch(/^HTTP\/1.1 408 /);
    const client = await connect(server.url);
    client.send(startMessage());
    await client.until('ready');
  });

  it('does not stay when it was refused and does not close', async () => {
    const server = await serve();
    const socket = open(server.port);
    socket.write(`${half}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1.1 400 .*offer the subprotocol/s);
    const [isError] = await once(socket, 'close');
    expect(isError).toBe(false);
  });
});

function open(port: number): Socket {
  const socket = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  socket.on('end', () => socket.end());
  onTestFinished(() => void socket.destroy());
  return socket;
}

async function metrics({ port }: { port: number }): Promise<string> {
  return await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
}
