import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { checkUrl } from '../../../src/client/url.ts';
import { createDialect, dialectSpec } from '../../../src/dialects/catalogue.ts';
import { SpeechfbError } from '../../../src/errors.ts';
import { preflight } from '../../../src/load/generator/preflight.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function websocket(
  onConnection: (socket: WebSocket, authorization: string | undefined) => void,
): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  server.on('connection', (socket, request) => onConnection(socket, request.headers.authorization));
  closers.push(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/stream`;
}

async function http(status: number, body: string): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status).end(body)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => server.close());
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/stream`;
}

async function mute(): Promise<string> {
  const server = createTcpServer(() => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => server.close());
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/stream`;
}

async function refusal(url: string, options?: Parameters<typeof preflight>[1]): Promise<SpeechfbError> {
  const error: unknown = await preflight({ url: checkUrl(url), token: 'secret', tls: undefined }, options).catch(
    (caught) => caught,
  );
  if (error instanceof SpeechfbError) return error;
  throw new Error(`it was let through: ${error}`);
}

it('a server that takes the socket is fine; it has seen the token', async () => {
  const seen: (string | undefined)[] = [];
  const url = await websocket((_, authorization) => seen.push(authorization));
  await preflight({ url: checkUrl(url), token: 'secret', tls: undefined });
  expect(seen).toEqual(['Bearer secret']);
});

it('a server that asks in the upgrade what is read hears what the first learner reads', async () => {
  const asked: (string | undefined)[] = [];
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (_, request) => asked.push(request.url));
  await once(server, 'listening');
  closers.push(() => server.close());
  const url = checkUrl(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/listen`);
  const read = dialectSpec('deepgram', { reference: '{reference}' });
  if (!('spec' in read) || !read.spec) throw new Error('deepgram takes no reference');
  const dialect = createDialect(read.spec);
  await preflight({ url, token: undefined, tls: undefined, dialect, reads: { text: 'Good morning.', language: 'de' } });
  expect(asked).toEqual([expect.stringContaining('reference=Good+morning.')]);
  expect(asked).toEqual([expect.stringContaining('language=de')]);
});

it('a server that says why and closes is quoted', async () => {
  const url = await websocket((socket) => {
    socket.send(JSON.stringify({ type: 'error', code: 'unauthorized', message: 'the token is unknown' }));
    socket.close(4401, 'unauthorized');
  });
  const error = await refusal(url);
  expect(error.code).toBe('session_refused');
  expect(error.message).toContain('refuses us before any load: unauthorized: the token is unknown');
  expect(error.hint).toContain('--token-file');
  expect(error.exitCode).toBe(2);
});

it('a server that does not answer is not waited for once it is called off', async () => {
  const stop = new AbortController();
  const waiting = refusal(await mute(), { signal: stop.signal });
  stop.abort();
  expect((await waiting).message).toContain('it was not waited for');
});

it('a server without TLS is told from one that is not there', async () => {
  const error = await refusal((await http(200, '')).replace('ws:', 'wss:'));
  expect(error.message).toContain('what answers there does not speak TLS');
  expect(error.hint).toMatch(/^try ws:/);
});

it('a server that speaks no subprotocol of ours may speak another protocol', async () => {
  const server = createServer();
  server.on('upgrade', (request, socket) => {
    const accept = createHash('sha1').update(
      `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`,
    );
    const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
    socket.end(`${[...head, `Sec-WebSocket-Accept: ${accept.digest('base64')}`].join('\r\n')}\r\n\r\n`);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  closers.push(() => server.close());
  const error = await refusal(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/stream`);
  expect(error.message).toContain('the answer speaks no subprotocol, not speechfb.v1');
  expect(error.hint).toContain('spec.target.protocol');
});

it.each<[string, () => Promise<string>, string, string]>([
  ['nobody listens', async () => 'ws://127.0.0.1:9/v1/stream', 'connection_refused', 'ECONNREFUSED'],
  ['another server answers', () => http(404, 'not here'), 'session_refused', 'HTTP 404 not here'],
  ['a proxy wants to know who', () => http(401, 'who are you?'), 'session_refused', 'HTTP 401 who are you?'],
  ['nothing is ever said', mute, 'connection_refused', 'no answer within 0.2 s'],
  [
    'it closes without a word',
    () => websocket((socket) => socket.close(1013)),
    'session_refused',
    'closed with code 1013',
  ],
])('when %s the test does not begin', async (_, start, code, words) => {
  const error = await refusal(await start(), { patienceMs: start === mute ? 200 : 20_000 });
  expect(error.code).toBe(code);
  expect(error.message).toContain(words);
});
