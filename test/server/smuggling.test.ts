import { connect as connectTcp } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serve } from '../kit/server/serve.ts';

const upgrade = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol: speechfb.v1',
];
const hidden = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n';

describe('a request that two readers would read differently', () => {
  it.each([
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
    ['another protocol behind HTTP', 'PRI *', [], 'SM\r\n\r\n', 400, 'HTTP/2.0'],
  ])(
    '%s: is refused, and what is hidden in it is not answered',
    async (_, line, headers, body, status, version = 'HTTP/1.1') => {
      const server = await serve();
      const socket = connectTcp(server.port, '127.0.0.1');
      onTestFinished(() => void socket.destroy());
      socket.on('error', () => {});
      socket.write([`${line} ${version}`, 'Host: localhost', ...headers, '', body].join('\r\n'));
      // Plain HTTP is kept alive: whoever sends nothing more ends it.
      if (!headers.some((header) => header === 'Upgrade: websocket')) socket.end();
      const answer = await text(socket);
      expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect(answer).not.toContain('speechfb_build_info');
      expect(answer.match(/^HTTP\/1\.1 /gm)).toHaveLength(1);
    },
  );
});
