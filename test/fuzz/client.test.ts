import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { parseEvent } from '../../src/client/events.ts';
import { playRecording } from '../../src/client/playback.ts';
import { exitCodes, formatError, SpeechfbError } from '../../src/errors.ts';
import { plainValue } from '../../src/plain-text.ts';
import { streamLine } from '../../src/report/score/stream-lines.ts';
import { newStreamView, withEvent } from '../../src/report/score/stream-view.ts';
import { SecretUrl } from '../../src/secret-url.ts';
import { phoneAt } from '../kit/fake-server.ts';
import { editedBytes, editedJson, editedText, fuzz } from '../kit/fuzz.ts';
import { rawIn } from '../kit/hostile-text.ts';

const limits = { max_frame_bytes: 65_536, max_session_ms: 3_600_000, idle_timeout_ms: 60_000, max_buffered_ms: 15_000 };
const model = { name: 'm', version: '1', provider: 'cpu', lookahead_ms: 0, phones: ['AH'] };
const timing = { ingress: 0.01, queue: 0.02, features: 0.01, asr: 0.03, scoring: 0.01, emit: 0.01 };
const base = { event_id: 1, audio_ms: 100 };
const session = { session_id: 's', resume_token: 't', resume_ttl_ms: 5000, next_seq: 0, epoch: 0, utterance_id: 1 };
const events = [
  {
    ...base,
    type: 'ready',
    ...session,
    resumed: false,
    limits,
    model,
    reference: { words: [{ text: 'a', phones: ['AH'] }] },
  },
  { ...base, type: 'ack', epoch: 0, next_seq: 2, missing: [], buffered_ms: 0 },
  { ...base, type: 'phoneme_feedback', utterance_id: 1, rev: 1, phonemes: [phoneAt(0, 100)], timing },
  { ...base, type: 'transcript', utterance_id: 1, is_final: false, stability: 0.5, text: 'a', words: [] },
  { ...base, type: 'info', code: 'late', message: 'm' },
  { ...base, type: 'error', code: 'server_busy', message: 'm', retryable: true, retry_after_ms: 10 },
  { ...base, type: 'go_away', deadline_ms: 100 },
];
const texts = events.map((event) => JSON.stringify(event));
const said = fc.oneof(
  fc.constantFrom<string | Buffer>(...texts),
  editedJson(events).map((value) => JSON.stringify(value) ?? ''),
  editedText(texts),
  editedBytes(texts.map((text) => Buffer.from(text))),
);

fuzz('events alone', said, 2000, (text) => {
  const bytes = Buffer.from(text);
  const read = parseEvent(bytes, 0, bytes.length);
  if ('problem' in read) expect(read.problem).not.toMatch(/call stack|\bundefined is|\[object O/);
});

let server: WebSocketServer;
let script: readonly (string | Buffer)[] = [];
beforeAll(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  server.on('connection', (socket: WebSocket) => {
    socket.on('error', () => {});
    socket.once('message', () => {
      for (const one of script) socket.send(one, { binary: false });
      setTimeout(() => socket.terminate(), 20);
    });
  });
});
afterAll(async () => {
  for (const client of server.clients) client.terminate();
  server.close();
  await once(server, 'close');
});

fuzz(
  'a playback against a server that says anything',
  fc.array(said, { minLength: 1, maxLength: 8 }),
  40,
  async (sequence) => {
    script = [texts[0]!, ...sequence];
    const { port } = server.address() as AddressInfo;
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), 150);
    let view = newStreamView('a.wav', 100);
    try {
      await playRecording(
        {
          recording: { pcm: new Uint8Array(3200), sampleRateHz: 16_000 },
          text: 'a',
          url: SecretUrl.parse(`ws://127.0.0.1:${port}/v1/stream`, 'websocket'),
          token: undefined,
          frameMs: 20,
          emitIntervalMs: 100,
          lane: 'live',
          cutAtMs: undefined,
          patience: { readyMs: 500, answerMs: 500, finalMs: 500 },
        },
        {
          signal: stop.signal,
          onSpoken() {},
          onDropped() {},
          onEvent(event, atMs, latencyMs) {
            view = withEvent(view, event, latencyMs);
            expect(rawIn(streamLine(plainValue(event), atMs, latencyMs), 'text')).toEqual([]);
          },
        },
      );
    } catch (error) {
      if (!(error instanceof SpeechfbError)) throw error;
      expect(error.exitCode).toBe(exitCodes.usage);
      expect(rawIn(formatError(error), 'text')).toEqual([]);
    } finally {
      clearTimeout(timer);
    }
  },
);
