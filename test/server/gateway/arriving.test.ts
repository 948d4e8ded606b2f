import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { answerArriving } from '../../../src/server/gateway/drain.ts';
import { serve } from '../../kit/server/serve.ts';

it('a server that goes away answers who has come before, and asks only now', async () => {
  const server = await serve();
  const { port, host } = new URL(server.url);
  const caller = connect(Number(port), '127.0.0.1');
  onTestFinished(() => void caller.destroy());
  const answer = text(caller);
  // It was taken before this one, who came later.
  expect((await fetch(new URL('/readyz', server.url.replace(/^ws/, 'http')))).status).toBe(200);
  const drained = server.drain();
  caller.write(`GET /v1/stream HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`);
  caller.write('Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n');
  caller.write('Sec-WebSocket-Protocol: speechfb.v1\r\n\r\n');
  expect(await answer).toMatch(/^HTTP\/1\.1 503 .*server_busy/s);
  expect(await drained).toEqual({ sessions: 0, finished: 0 });
});

it('who stays on its connection for a further request is not waited for', async () => {
  const lobby = { size: 1 };
  const http = {
    closeIdleConnections() {
      lobby.size = 0;
    },
  };
  await expect(answerArriving(http, lobby)).resolves.toBeUndefined();
});

it('who asks nothing is waited for no longer than a moment', async () => {
  await expect(answerArriving({ closeIdleConnections() {} }, { size: 1 })).resolves.toBeUndefined();
});
