import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { localhostTls } from '../kit/localhost.ts';
import { metricsByTls } from '../kit/server/metrics-by-tls.ts';
import { serve } from '../kit/server/serve.ts';

const upgrade = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol: speechfb.v1',
];
const nameless: readonly string[] = [];
const hidden = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n';

type Row = [
  what: string,
  line: string,
  headers: readonly string[],
  body: string,
  status: number,
  version?: string,
  host?: readonly string[],
];

describe('a request that two readers would read differently', () => {
  it.each<Row>([
    ['two lengths', 'POST /metrics', ['Content-Length: 5', 'Content-Length: 6'], 'hello', 400],
    ['a length and chunks', 'POST /metrics', ['Content-Length: 5', 'Transfer-Encoding: chunked'], '0\r\n\r\n', 400],
    ['chunks by another name', 'POST /metrics', ['Transfer-Encoding: xchunked'], '0\r\n\r\n', 400],
    ['chunks twice', 'POST /metrics', ['Transfer-Encoding: chunked, identity'], '0\r\n\r\n', 400],
    ['a length that is none', 'POST /metrics', ['Content-Length: 5, 5'], 'hello', 400],
    ['a length with a sign', 'POST /metrics', ['Content-Length: +5'], 'hello', 400],
    ['a folded header', 'GET /v1/stream', ['X: a', ' Host: evil.example'], '', 400],
    ['a blank before the colon', 'POST /metrics', ['Transfer-Encoding : chunked'], '0\r\n\r\n', 400],
    ['a NUL in a header', 'GET /v1/stream', ['X: a\0b'], '', 400],
    ['two hosts', 'GET /v1/stream', ['Host: evil.example', ...upgrade], '', 400],
    ['two hosts, of plain HTTP', 'GET /metrics', ['Host: evil.example'], '', 400],
    ['two tokens', 'GET /v1/stream', ['Authorization: Bearer a', 'Authorization: Bearer b', ...upgrade], '', 400],
    ['two origins', 'GET /v1/stream', ['Origin: http://localhost', 'Origin: http://evil.example', ...upgrade], '', 400],
    ['a body behind an upgrade', 'GET /v1/stream', [`Content-Length: ${hidden.length}`, ...upgrade], hidden, 400],
    ['chunks behind an upgrade', 'GET /v1/stream', ['Transfer-Encoding: chunked', ...upgrade], '0\r\n\r\n', 400],
    ['a version that is none', 'GET /v1/stream', [], '', 400, 'HTTP/1.11'],
    ['no host', 'GET /healthz', ['Host-Not: x'], '', 400, 'HTTP/1.1', nameless],
    ['no host, of an upgrade', 'GET /v1/stream', upgrade, '', 400, 'HTTP/1.1', nameless],
    ['a way to somewhere else', 'CONNECT evil.example:443', [], hidden, 400],
    ['an expectation that nobody meets', 'POST /healthz', ['Expect: a-miracle', 'Content-Length: 0'], '', 417],
    ['a path of 100 kB', `GET /${'a'.repeat(100_000)}`, [], '', 431],
    ['a NUL in a path', 'GET /v1/\0stream', [], '', 400],
    ['an offer twice', 'GET /v1/stream', [...upgrade, 'Sec-WebSocket-Protocol: speechfb.v1'], '', 400],
    ['the greeting of TLS', '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03', [], '', 400],
    ['another protocol behind HTTP', 'PRI *', [], 'SM\r\n\r\n', 400, 'HTTP/2.0'],
  ])(
    '%s: is refused, and what is hidden in it is not answered',
    async (_, line, headers, body, status, version = 'HTTP/1.1', host = ['Host: localhost']) => {
      const server = await serve();
      const socket = connectTcp(server.port, '127.0.0.1');
      onTestFinished(() => void socket.destroy());
      socket.on('error', () => {});
      socket.write([`${line} ${version}`, ...host, ...headers, '', body].join('\r\n'));
      // Plain HTTP is kept alive: whoever sends nothing more ends it.
      if (!headers.some((header) => header === 'Upgrade: websocket')) socket.end();
      const answer = await text(socket);
      expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect(answer).not.toContain('speechfb_build_info');
      expect(answer.match(/^HTTP\/1\.1 /gm)).toHaveLength(1);
    },
  );

  it('an upgrade behind a request that is not answered yet: gets no WebSocket into which that answer is written', async () => {
    const server = await serve();
    const socket = connectTcp(server.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.write(hidden + ['GET /v1/stream HTTP/1.1', 'Host: localhost', ...upgrade, '\r\n'].join('\r\n'));
    expect(await text(socket)).not.toContain('101 Switching Protocols');
    const metrics = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
    expect(metrics).toContain('speechfb_refused_requests_total{reason="malformed"} 1\n');
  });

  it('an upgrade behind one that is answered: gets its WebSocket', async () => {
    const server = await serve();
    const socket = connectTcp(server.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    let answer = '';
    socket.on('data', (data) => (answer += data.toString('latin1')));
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await expect.poll(() => answer).toMatch(/0\r\n\r\n$/);
    socket.write(['GET /v1/stream HTTP/1.1', 'Host: localhost', ...upgrade, '\r\n'].join('\r\n'));
    await expect.poll(() => answer).toContain('101 Switching Protocols');
  });
});

describe('a port with TLS', () => {
  it('counts who speaks without', async () => {
    const server = await serve({ tls: localhostTls, host: '0.0.0.0' });
    const socket = connectTcp(server.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    socket.write(hidden);
    await once(socket.resume(), 'close');
    expect(await metricsByTls(server.url)).toContain('speechfb_refused_requests_total{reason="tls"} 1\n');
  });
});
