import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { UpgradeState } from '../../../src/client/link/upgrade-answer.ts';
import { upgradeRequest } from '../../../src/client/link/websocket-handshake.ts';

describe('the upgrade', () => {
  it('asks for the path, with the token, and for speechfb.v1', () => {
    const { request } = upgradeRequest(new URL('ws://host:81/v1/stream?a=b'), { token: 'secret' });
    expect(request).toMatch(/^GET \/v1\/stream\?a=b HTTP\/1.1\r\nHost: host:81\r\n/);
    expect(request).toContain('Authorization: Bearer secret\r\n');
    expect(request).toMatch(/\r\n\r\n$/);
  });

  it.each([
    ['at once', ''],
    ['after an interim answer', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['after several', 'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n'],
  ])('is accepted %s, and gives what came behind it, cut anywhere', (_, before) => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (cuts) => {
        expect(answer((good) => `${before}${good}rest`, cuts)).toBe('open: rest');
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    [
      'another status',
      'HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n',
      'the server refuses the connection: it is full, or goes away (HTTP 503)',
    ],
    [
      'a body that says why',
      'HTTP/1.1 401 No\r\ncontent-length: 3\r\n\r\nwho',
      'the server refuses the connection: it wants a token that it knows (HTTP 401 who)',
    ],
    [
      'a body in chunks',
      'HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nnot\r\n5\r\n here\r\n0\r\n\r\n',
      'the server refuses the connection: it has no stream at this address (HTTP 404 not here)',
    ],
    [
      'an error in JSON',
      'HTTP/1.1 401 No\r\ncontent-length: 61\r\n\r\n{"error":{"code":"unauthorized","message":"a token, please"}}',
      'the server refuses the connection: it wants a token that it knows (HTTP 401 unauthorized: a token, please)',
    ],
    [
      'a body that never ends',
      `HTTP/1.1 500 No\r\n\r\n${'z'.repeat(5000)}`,
      `the server refuses the connection: it opens no stream (HTTP 500 ${'z'.repeat(200)}...)`,
    ],
    [
      'a redirect',
      'HTTP/1.1 302 Found\r\nlocation: http://other/\r\ncontent-length: 0\r\n\r\n',
      'the server refuses the connection: it leads to http://other/, which is not followed (HTTP 302)',
    ],
    [
      'a wish for patience',
      'HTTP/1.1 503 Busy\r\nRetry-After: 5\r\ncontent-length: 0\r\n\r\n',
      'the server refuses the connection: it is full, or goes away (HTTP 503); it asks to come again in 5 s',
    ],
    ['no HTTP', 'SSH-2.0\r\n\r\n', 'what answers speaks no HTTP'],
    ['no end', 'HTTP/1.1 101 '.padEnd(20_000, 'x'), 'the answer to the upgrade has no end'],
    ['one huge header', `HTTP/1.1 101 x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 'the answer to the upgrade has no end'],
    ['interim answers for ever', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(2000), 'the answer to the upgrade has no end'],
  ])('with %s is refused in one sentence, cut anywhere', (_, text, said) => {
    for (const cuts of [[1], [7, 1, 300], [100_000]]) expect(answer(() => text, cuts)).toBe(said);
  });

  it.each([
    ['another protocol to upgrade to', /upgrade: WebSocket/, 'upgrade: h2c', 'something else'],
    ['a wrong key', /accept: .*/, 'accept: x\r', 'wrong Sec-WebSocket-Accept'],
    ['no subprotocol', /Sec-WebSocket-Protocol/, 'x', 'speaks no subprotocol'],
    ['another subprotocol', /speechfb.v1/, 'mqtt'.repeat(100), 'speaks mqttmqtt'],
    ['an extension', /upgrade:/, 'sec-websocket-extensions: permessage-deflate\r\nupgrade:', 'extension'],
  ])('with %s is refused', (_, place, text, said) => {
    const given = answer((good) => good.replace(place, text), [9]);
    expect(given).toContain(said);
    expect(given.length).toBeLessThan(300);
  });
});

/** What a client makes of the answer that `write` makes of a good one, cut as told, again and again. */
function answer(write: (good: string) => string, cuts: readonly number[]): string {
  const { request, answer } = upgradeRequest(new URL('ws://host/'), {});
  const key = /Sec-WebSocket-Key: (.*)\r/.exec(request)![1]!;
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  const good = `HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nsec-websocket-accept: ${accept}\r\nSec-WebSocket-Protocol: speechfb.v1\r\n\r\n`;
  const bytes = Buffer.from(write(good), 'latin1');
  let state: UpgradeState = 'coming';
  let at = 0;
  for (let i = 0; state === 'coming' && at < bytes.length; i++) {
    const chunk = bytes.subarray(at, at + cuts[i % cuts.length]!);
    at += chunk.length;
    state = answer.take(chunk, chunk.length);
  }
  if (state === 'coming') return answer.end();
  return 'problem' in state ? state.problem : `open: ${state.rest}${bytes.toString('latin1', at)}`;
}
