import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { playRecording } from '../../src/client/playback.ts';
import { checkUrl } from '../../src/client/url.ts';
import type { ServerEvent } from '../../src/protocol/server-messages.ts';
import { startFakeServer } from '../kit/fake-server.ts';

it('a session goes on at the next server when the one that has it is gone, and nothing is lost', async () => {
  const service = await startService();
  const front = await door(service.url);
  const play = playing([front.url, service.url], (spokenMs) => spokenMs === 300 && front.fall());
  const { framesLost } = await play.summary;
  expect(framesLost).toBe(0);
  expect(play.drops).toHaveLength(1);
  expect(play.of('ready').map(({ resumed }) => resumed)).toEqual([false, true]);
  expect(play.of('utterance_final')).toHaveLength(1);
  expect(service.sessions.size).toBe(1);
});

it.each([
  ['is not there', async () => 'ws://127.0.0.1:9/v1/stream'],
  ['has no room', async () => await refusing(503, { 'retry-after': '60' })],
])('a session begins at the next server when the first %s', async (_, first) => {
  const service = await startService();
  const play = playing([await first(), service.url]);
  await play.summary;
  expect(play.of('utterance_final')).toHaveLength(1);
  expect(service.sessions.size).toBe(1);
});

it('a token that one server does not know is tried at no other', async () => {
  const service = await startService();
  const play = playing([await refusing(401), service.url]);
  await expect(play.summary).rejects.toMatchObject({ code: 'session_refused' });
  expect(service.sessions.size).toBe(0);
});

it('servers that are all gone are asked once each', async () => {
  const play = playing(['ws://127.0.0.1:9/v1/stream', 'ws://127.0.0.1:9/v1/stream']);
  await expect(play.summary).rejects.toMatchObject({ code: 'connection_refused' });
});

async function startService() {
  const service = await startFakeServer();
  onTestFinished(() => service.close());
  return service;
}

/** Half a second of sound, played to these servers. */
function playing(urls: string[], onSpoken: (ms: number) => void = () => {}) {
  const events: ServerEvent[] = [];
  const drops: number[] = [];
  const [url, ...alsoAt] = urls.map(checkUrl);
  const summary = playRecording(
    {
      recording: { pcm: new Uint8Array(16_000), sampleRateHz: 16_000 },
      text: 'a',
      url: url!,
      alsoAt,
      token: undefined,
      frameMs: 20,
      emitIntervalMs: 100,
      lane: 'live',
      cutAtMs: undefined,
      patience: { readyMs: 8000, answerMs: 8000, finalMs: 8000 },
    },
    {
      onEvent: (event) => void events.push(event),
      onSpoken,
      onDropped: (atMs) => void drops.push(atMs),
      signal: new AbortController().signal,
    },
  );
  const of = <Type extends ServerEvent['type']>(type: Type) =>
    events.filter((event): event is Extract<ServerEvent, { type: Type }> => event.type === type);
  return { summary, drops, of };
}

/** Another address of the server at `url`, until it falls with all who came through it. */
async function door(url: string) {
  const sockets = new Set<Socket>();
  const server = createTcpServer((caller) => {
    const there = connect(Number(new URL(url).port), '127.0.0.1');
    for (const socket of [caller, there]) sockets.add(socket.on('error', () => {}));
    caller.pipe(there).pipe(caller);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const fall = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(fall);
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/stream`, fall };
}

/** A server that answers every upgrade so. */
async function refusing(status: number, headers: Record<string, string> = {}): Promise<string> {
  const server = createServer().on('upgrade', (_, socket) => {
    const lines = Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${status} No\r\n${lines.join('')}\r\n`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/stream`;
}
