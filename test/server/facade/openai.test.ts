import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toS16le } from '../../../src/audio/pcm.ts';
import { createResampler } from '../../../src/audio/resampler.ts';
import { readWav } from '../../../src/audio/wav.ts';
import { parseTokens } from '../../../src/server/admission/tokens.ts';
import { localhostTls } from '../../kit/localhost.ts';
import { openShippedModel, readClip } from '../../kit/server/real.ts';
import { serve } from '../../kit/server/serve.ts';
import { callOpenai, type OpenaiCaller, transcriptionSession } from '../../kit/vendors/openai-sdk.ts';
import { callRaw, refusedCall } from '../../kit/vendors/raw-caller.ts';

/** OpenAI's own SDK against this server, over TLS, since the SDK insists on it. */
const rateHz = 24_000;
const silence = (ms: number): Int16Array => new Int16Array((ms / 1000) * rateHz);
const start = (changes: Parameters<typeof serve>[0] = {}) => serve({ tls: localhostTls, ...changes });
const realtimeUrl = (url: string): string =>
  url.replace('/v1/stream', '/v1/realtime').replace('127.0.0.1', 'localhost');
const call = (url: string, key = 'none'): Promise<OpenaiCaller> => callOpenai(realtimeUrl(url), key);
const completedType = 'conversation.item.input_audio_transcription.completed';
const deltaType = 'conversation.item.input_audio_transcription.delta';

describe("OpenAI's SDK at /v1/realtime", () => {
  it('opens a session for a text, hears words when they are settled, and the whole when it commits', async () => {
    const caller = await call((await start()).url);
    await caller.until('session.created');
    caller.realtime.send(transcriptionSession('ab ba'));
    const updated = await caller.until('session.updated');
    expect(updated.session).toMatchObject({
      type: 'transcription',
      audio: { input: { transcription: { model: 'scripted', prompt: 'ab ba' }, turn_detection: null } },
    });
    caller.speak(silence(1000), rateHz);
    caller.realtime.send({ type: 'input_audio_buffer.commit' });
    const completed = await caller.until(completedType);
    expect(completed).toMatchObject({
      transcript: 'ab ba',
      content_index: 0,
      usage: { type: 'duration', seconds: 1 },
      pronunciation: { heard: 'text', scores: { accuracy: 90 } },
    });
    expect(caller.of(deltaType).map(({ delta }) => delta)).toEqual(['ab', ' ba']);
    const committed = caller.of('input_audio_buffer.committed');
    expect(committed).toMatchObject([{ item_id: completed.item_id, previous_item_id: null }]);
    expect(new Set(caller.of(deltaType).map(({ item_id }) => item_id))).toEqual(new Set([completed.item_id]));
    expect(caller.of('conversation.item.added')).toMatchObject([{ item: { id: completed.item_id } }]);
    caller.realtime.close();
    expect((await caller.closed).code).toBe(1000);
    expect(caller.errors).toEqual([]);
  });

  it('reads one text after the other: a new prompt is the next item', async () => {
    const caller = await call((await start()).url);
    for (const prompt of ['ab', 'ba', 'aa']) {
      caller.realtime.send(transcriptionSession(prompt));
      caller.speak(silence(500), rateHz);
      caller.realtime.send({ type: 'input_audio_buffer.commit' });
    }
    await expect.poll(() => caller.of(completedType).length).toBe(3);
    const completed = caller.of(completedType);
    expect(completed.map(({ transcript }) => transcript)).toEqual(['ab', 'ba', 'aa']);
    const ids = completed.map(({ item_id }) => item_id);
    expect(caller.of('input_audio_buffer.committed').map((event) => event.previous_item_id)).toEqual([
      null,
      ids[0],
      ids[1],
    ]);
    caller.realtime.close();
  });

  it('keeps the text of an item that is being read, and forgets what was cleared', async () => {
    const caller = await call((await start()).url);
    caller.realtime.send(transcriptionSession('ab'));
    caller.speak(silence(300), rateHz);
    caller.realtime.send(transcriptionSession('ba'));
    caller.speak(silence(300), rateHz);
    caller.realtime.send({ type: 'input_audio_buffer.commit' });
    caller.speak(silence(300), rateHz);
    caller.realtime.send({ type: 'input_audio_buffer.clear' });
    await caller.until('input_audio_buffer.cleared');
    caller.speak(silence(700), rateHz);
    caller.realtime.send({ type: 'input_audio_buffer.commit' });
    await expect.poll(() => caller.of(completedType).length).toBe(2);
    expect(caller.of(completedType).map(({ transcript }) => transcript)).toEqual(['ab', 'ba']);
    expect(caller.of(completedType).at(-1)).toMatchObject({ usage: { seconds: 0.7 } });
    caller.realtime.close();
  });

  it.each([
    ['sound before a text is known', [{ type: 'input_audio_buffer.append', audio: 'AAAA' }], 'transcription.prompt'],
    ['a session without a text', [transcriptionSession()], 'session.update carries it as'],
    ['a commit of nothing', [transcriptionSession('a'), { type: 'input_audio_buffer.commit' }], 'commit_empty'],
    ['an event that is not for transcription', [{ type: 'response.create' }], 'Events here are'],
    [
      'a session that is none of transcription',
      [{ type: 'session.update', session: { type: 'realtime' } }],
      'session.type',
    ],
    ['a format that is not read', [withInput({ format: { type: 'audio/pcmu' } })], 'format.type'],
    ['a rate that is not read', [withInput({ format: { type: 'audio/pcm', rate: 4000 } })], 'format.rate'],
    ['turns that are not found', [withInput({ turn_detection: { type: 'semantic_vad' } })], 'turn_detection.type'],
    ['sound that is none', [transcriptionSession('a'), { type: 'input_audio_buffer.append', audio: '' }], 'base64'],
    [
      'another rate amid the sound',
      [transcriptionSession('a'), withInput({ format: { type: 'audio/pcm', rate: 16_000 } })],
      'cannot be changed',
    ],
  ])('is told of %s, and may go on', async (_, messages, sentence) => {
    const caller = await call((await start()).url);
    for (const message of messages) caller.realtime.send(message as never);
    await caller.until('error');
    expect(caller.errors[0]!.message).toContain(sentence);
    caller.realtime.send(transcriptionSession('ab'));
    caller.speak(silence(500), rateHz);
    caller.realtime.send({ type: 'input_audio_buffer.commit' });
    expect(await caller.until(completedType)).toMatchObject({ transcript: 'ab' });
    caller.realtime.close();
  });
});

function withInput(input: object): object {
  const transcription = { prompt: 'a' };
  return { type: 'session.update', session: { type: 'transcription', audio: { input: { transcription, ...input } } } };
}

describe('what ends a session at /v1/realtime', () => {
  it.each([
    ['a text that cannot be read', transcriptionSession('123'), 'invalid_reference', 1008],
    ['a language that is not spoken', french(), 'invalid_message', 1008],
  ])('is told: %s', async (_, message, code, close) => {
    const caller = await call((await start()).url);
    caller.realtime.send(message);
    expect((await caller.closed).code).toBe(close);
    expect(caller.errors[0]!.message).toContain(`code=${code}`);
  });

  it('is told of bytes and of no JSON, which end nothing', async () => {
    const socket = await callRaw(realtimeUrl((await start()).url));
    socket.socket.send(Buffer.alloc(10));
    socket.send('hello');
    await expect.poll(() => socket.said().filter(({ type }) => type === 'error').length).toBe(2);
    expect(socket.socket.readyState).toBe(socket.socket.OPEN);
    socket.socket.close();
  });

  it('closes who starts nothing', async () => {
    const socket = await callRaw(realtimeUrl((await start({ limits: { startTimeoutMs: 50 } })).url));
    expect((await socket.closed).code).toBe(1001);
    expect(socket.said().at(-1)).toMatchObject({ type: 'error', error: { code: 'idle_timeout' } });
  });

  it('takes sound as often as frames may come, and other events as often as messages', async () => {
    const caller = await call((await start({ limits: { messageBurst: 3, messagesPerSecond: 0.001 } })).url);
    caller.realtime.send(transcriptionSession('ab'));
    caller.speak(silence(1000), rateHz);
    caller.realtime.send({ type: 'input_audio_buffer.commit' });
    await caller.until(completedType);
    for (let i = 0; i < 3; i++) caller.realtime.send({ type: 'input_audio_buffer.clear' });
    expect((await caller.closed).code).toBe(1008);
    expect(caller.errors.at(-1)!.message).toContain('rate_limit_exceeded');
  });

  it('drains: what was heard is final', async () => {
    const server = await start();
    const caller = await call(server.url);
    caller.realtime.send(transcriptionSession('ab'));
    caller.speak(silence(500), rateHz);
    await caller.until('session.updated');
    await server.drain();
    expect((await caller.closed).code).toBe(1001);
    expect(caller.of(completedType)).toMatchObject([{ transcript: 'ab' }]);
  });
});

function french(): ReturnType<typeof transcriptionSession> {
  return JSON.parse(JSON.stringify(transcriptionSession('ab')).replace('"language":"en"', '"language":"fr"'));
}

describe('the guards of the server hold at /v1/realtime', () => {
  const token = '0123456789abcdef';
  const tokens = parseTokens(`anna ${token}\n`, 'tokens');

  it('takes tokens as the SDK and browsers send them, and nobody without one', async () => {
    const { url } = await start({ tokens });
    (await call(url, token)).realtime.close();
    const protocols = ['realtime', `openai-insecure-api-key.${token}`];
    const page = await callRaw(realtimeUrl(url), { protocols });
    expect(page.socket.protocol).toBe('realtime');
    page.socket.close();
    await expect(call(url, 'wrong')).rejects.toThrow('401');
    const refused = await refusedCall(realtimeUrl(url));
    expect(JSON.parse(refused.body)).toMatchObject({ error: { code: 'invalid_api_key' } });
  });

  it('says 429 and the time to wait when too many sessions are starting, before there is a WebSocket', async () => {
    const { url } = await start({ limits: { startBurst: 1, startsPerSecond: 0.001 } });
    const caller = await call(url);
    caller.realtime.send(transcriptionSession('ab'));
    await caller.until('session.updated');
    const refused = await refusedCall(realtimeUrl(url));
    expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': expect.stringMatching(/^\d+$/) } });
    expect(JSON.parse(refused.body).error).toMatchObject({ type: 'rate_limit_error', code: 'rate_limit_exceeded' });
    caller.realtime.close();
  });

  it('is full with 503 and the time to wait', async () => {
    const { url } = await start({ limits: { maxSessions: 1 } });
    const caller = await call(url);
    caller.realtime.send(transcriptionSession('ab'));
    await caller.until('session.updated');
    const refused = await refusedCall(realtimeUrl(url));
    expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': expect.stringMatching(/^\d+$/) } });
    expect(JSON.parse(refused.body)).toMatchObject({ error: { code: 'server_overloaded', type: 'server_error' } });
    caller.realtime.close();
  });
});

describe('the real model behind /v1/realtime', () => {
  let shipped: Awaited<ReturnType<typeof openShippedModel>>;
  beforeAll(async () => {
    shipped = await openShippedModel();
  });
  afterAll(() => shipped?.close());

  const real = () => start({ engine: shipped.engine, scoring: shipped.scoring });

  it('hears a recorded sentence at 24 kHz word by word, and says how it was pronounced', async () => {
    const { samples, text } = at24kHz('leader');
    const caller = await call((await real()).url);
    caller.realtime.send(transcriptionSession(text));
    caller.speak(samples, rateHz);
    caller.realtime.send({ type: 'input_audio_buffer.commit' });
    const completed = await caller.until(completedType);
    expect(completed.transcript).toBe(text.replace('.', ''));
    expect(completed).toMatchObject({ pronunciation: { heard: 'text' } });
    const deltas = caller.of(deltaType).map(({ delta }) => delta);
    expect(deltas.length).toBeGreaterThan(3);
    expect(deltas.join('')).toBe(completed.transcript);
    caller.realtime.close();
  });

  it('ends a turn by a pause where the client wants that', async () => {
    const { samples, text } = at24kHz('leader');
    const caller = await call((await real()).url);
    caller.realtime.send(transcriptionSession(text, { type: 'server_vad', silence_duration_ms: 500 }));
    caller.speak(samples, rateHz);
    caller.speak(silence(1500), rateHz);
    const completed = await caller.until(completedType);
    expect(completed.transcript).toBe(text.replace('.', ''));
    const [started] = caller.of('input_audio_buffer.speech_started');
    const [stopped] = caller.of('input_audio_buffer.speech_stopped');
    expect(started!.item_id).toBe(completed.item_id);
    expect(stopped!.audio_end_ms).toBeGreaterThan(2000);
    caller.realtime.close();
  });
});

function at24kHz(id: string): { samples: Int16Array; text: string } {
  const { path, text } = readClip(id);
  const { samples, sampleRateHz } = readWav(path);
  const resampled = createResampler(sampleRateHz, rateHz).push(samples);
  return { samples: new Int16Array(toS16le(resampled).buffer), text };
}
