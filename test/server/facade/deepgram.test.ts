import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseTokens } from '../../../src/server/admission/tokens.ts';
import { openShippedModel, readClip } from '../../kit/server/real.ts';
import { serve } from '../../kit/server/serve.ts';
import { callDeepgram, type DeepgramCaller } from '../../kit/vendors/deepgram-sdk.ts';
import { callRaw, refusedCall } from '../../kit/vendors/raw-caller.ts';

/** Deepgram's own SDK against this server: scripted scoring where the words alone matter. */
const reference = 'ab ba';
const rateHz = 16_000;
const silence = (ms: number): Int16Array => new Int16Array((ms / 1000) * rateHz);
const listenUrl = (url: string, query = ''): string => `${url.replace('/v1/stream', '/v1/listen')}${query}`;
const format = '?encoding=linear16&sample_rate=16000';

async function call(url: string, wish: Parameters<typeof callDeepgram>[2] = {}): Promise<DeepgramCaller> {
  const queryParams = { reference, ...wish?.queryParams };
  return callDeepgram(url, 'none', { interim_results: 'true', endpointing: 'false', ...wish, queryParams });
}

describe("Deepgram's SDK at /v1/listen", () => {
  it('hears words as they are read, the whole when it asks, and the end', async () => {
    const caller = await call((await serve()).url);
    caller.live.sendKeepAlive({ type: 'KeepAlive' });
    caller.speak(silence(1000), rateHz);
    caller.live.sendFinalize({ type: 'Finalize' });
    await caller.until((message) => message.type === 'Results' && message.from_finalize === true);
    caller.live.sendCloseStream({ type: 'CloseStream' });
    expect(await caller.closed).toEqual({ code: 1000, reason: 'done' });
    const results = caller.results();
    const texts = results.map(({ channel }) => channel.alternatives[0]!.transcript);
    expect([...new Set(texts)]).toEqual(['', 'ab', 'ab ba']);
    const last = results.findLast((result) => !result.is_final)!;
    expect(last.channel.alternatives[0]!.words).toMatchObject([
      { word: 'ab', start: 0, end: 0.2 },
      { word: 'ba', start: 0.2, end: 0.4 },
    ]);
    const final = results.find((result) => result.is_final)!;
    expect(final).toMatchObject({
      start: 0,
      duration: 1,
      from_finalize: true,
      metadata: { model_info: { name: 'scripted' } },
      channel: { alternatives: [{ words: [{ word: 'ab' }, { word: 'ba' }] }] },
      pronunciation: { heard: 'text', scores: { accuracy: 90 } },
    });
    expect(caller.messages.at(-1)).toMatchObject({ type: 'Metadata', duration: 1, channels: 1 });
  });

  it('is told how far the sound is scored by each interim result, with its phones', async () => {
    const caller = await call((await serve()).url);
    caller.speak(silence(500), rateHz);
    caller.live.sendCloseStream({ type: 'CloseStream' });
    await caller.closed;
    const interim = caller.results().filter((result) => !result.is_final);
    expect(interim.map(({ start, duration }) => start + duration)).toEqual([0.1, 0.2, 0.3, 0.4, 0.5]);
    expect(interim[0]).toMatchObject({ pronunciation: { phonemes: [{ phoneme: 'A' }] } });
  });

  it('hears no interim results unless it asks for them', async () => {
    const caller = await call((await serve()).url, { interim_results: 'false' });
    caller.speak(silence(500), rateHz);
    caller.live.sendCloseStream({ type: 'CloseStream' });
    await caller.closed;
    expect(caller.results().map((result) => result.is_final)).toEqual([true]);
  });

  it('reads one text after the other, as listed in the URL or told by Configure', async () => {
    const { url } = await serve();
    const socket = await callRaw(listenUrl(url, `${format}&reference=a&reference=b`));
    for (const text of [undefined, undefined, 'aa', undefined]) {
      if (text) socket.send({ type: 'Configure', reference: text });
      socket.socket.send(silence(500));
      socket.send({ type: 'Finalize' });
    }
    socket.send({ type: 'CloseStream' });
    await socket.closed;
    const results = socket.said().filter(({ type }) => type === 'Results') as unknown as Result[];
    expect(results.map(({ channel }) => channel.alternatives[0].transcript)).toEqual(['a', 'b', 'aa', 'b']);
    expect(results.map(({ start }) => start)).toEqual([0, 0.5, 1, 1.5]);
  });

  it('is answered when nothing is open to be finalized', async () => {
    const { url } = await serve();
    const socket = await callRaw(listenUrl(url, `${format}&reference=a`));
    socket.socket.send(silence(300));
    socket.send({ type: 'Finalize' });
    socket.send({ type: 'Finalize' });
    socket.send({ type: 'CloseStream' });
    await socket.closed;
    const results = socket.said().filter(({ type }) => type === 'Results') as unknown as Result[];
    expect(results).toHaveLength(2);
    expect(results.every(({ from_finalize }) => from_finalize)).toBe(true);
  });
});

type Result = {
  start: number;
  from_finalize: boolean;
  channel: { alternatives: [{ transcript: string }] };
};

describe('what /v1/listen does not do is said before there is a WebSocket', () => {
  it.each([
    ['', 'encoding: it is missing'],
    ['?encoding=opus&sample_rate=16000&reference=a', '"opus" is not'],
    ['?encoding=linear16&reference=a', 'sample_rate'],
    ['?encoding=linear16&sample_rate=4000&reference=a', 'sample_rate'],
    [`${format}&channels=2&reference=a`, 'channels'],
    [`${format}&multichannel=true&reference=a`, 'multichannel'],
    [`${format}&diarize=true&reference=a`, 'diarize'],
    [`${format}&callback=http%3A%2F%2Fevil.example&reference=a`, 'callback'],
    [`${format}&endpointing=soon&reference=a`, 'endpointing'],
    [`${format}&utterance_end_ms=10&reference=a`, 'utterance_end_ms'],
    [format, 'the parameter reference= carries the text'],
    [`${format}&reference=%20`, 'the parameter reference= carries the text'],
    [`${format}&reference=${'a'.repeat(4001)}`, '4001 letters'],
  ])('"%s"', async (query, sentence) => {
    const refused = await refusedCall(listenUrl((await serve()).url, query));
    expect(refused.status).toBe(400);
    const body = JSON.parse(refused.body);
    expect(body).toMatchObject({ err_code: 'Bad Request', err_msg: expect.stringContaining(sentence) });
    expect(refused.headers['dg-request-id']).toBe(body.request_id);
    expect(refused.headers['dg-error']).toContain(sentence.replace(/[^\x20-\x7e]/g, '?'));
  });

  it('and what it passes over is served', async () => {
    const query = `${format}&model=nova-3&smart_format=true&punctuate=true&tag=x&keyterm=y&reference=a`;
    const socket = await callRaw(listenUrl((await serve()).url, query));
    socket.send({ type: 'CloseStream' });
    expect((await socket.closed).code).toBe(1000);
  });
});

describe('what goes wrong at /v1/listen', () => {
  it.each([
    ['a message of no kind', '{"type":"Pause"}', 1008, 'DATA-0000', 'invalid_message'],
    ['no JSON', 'hello', 1008, 'DATA-0000', 'invalid_message'],
    ['a JSON that is no object', '[1]', 1008, 'DATA-0000', 'invalid_message'],
    ['a Configure without a text', '{"type":"Configure"}', 1008, 'DATA-0000', 'invalid_message'],
    ['a Configure without words', '{"type":"Configure","reference":" "}', 1008, 'DATA-0000', 'invalid_reference'],
    [
      'a text that is too long',
      JSON.stringify({ type: 'Configure', reference: 'a'.repeat(4001) }),
      1008,
      'DATA-0000',
      'invalid_reference',
    ],
    ['a message that is too long', ' '.repeat(300_000), 1008, 'DATA-0000', 'too_large'],
  ])('is told: %s', async (_, text, code, prefix, variant) => {
    const socket = await callRaw(listenUrl((await serve()).url, `${format}&reference=a`));
    socket.send(text);
    const closed = await socket.closed;
    expect(closed.code).toBe(code);
    expect(closed.reason).toMatch(new RegExp(`^${prefix}: `));
    expect(socket.said().at(-1)).toMatchObject({ type: 'Error', variant });
  });

  it('is told of a text that cannot be read, and of a language that is not spoken', async () => {
    const { url } = await serve();
    const unread = await callRaw(listenUrl(url, `${format}&reference=123`));
    expect(await unread.closed).toMatchObject({ code: 1008, reason: expect.stringContaining('holds no word') });
    const foreign = await callRaw(listenUrl(url, `${format}&reference=a&language=fr`));
    expect(await foreign.closed).toMatchObject({ code: 1008, reason: expect.stringContaining('"fr" is not en-US') });
  });

  it('is told of idleness as Deepgram does', async () => {
    const { url } = await serve({ limits: { idleTimeoutMs: 100 } });
    const socket = await callRaw(listenUrl(url, `${format}&reference=a`));
    expect(await socket.closed).toMatchObject({ code: 1011, reason: expect.stringMatching(/^NET-0001: /) });
  });
});

describe('the guards of the server hold at /v1/listen', () => {
  const token = '0123456789abcdef';
  const tokens = parseTokens(`anna ${token}\n`, 'tokens');

  it('takes tokens as the SDK and browsers send them, and nobody without one', async () => {
    const { url } = await serve({ tokens });
    const caller = await callDeepgram(url, token, { queryParams: { reference } });
    caller.live.close();
    for (const scheme of ['token', 'bearer']) {
      const page = await callRaw(listenUrl(url, `${format}&reference=a`), { protocols: [scheme, token] });
      expect(page.socket.protocol).toBe(scheme);
      page.socket.close();
    }
    await expect(callDeepgram(url, 'wrong', { queryParams: { reference } })).rejects.toThrow('401');
    const refused = await refusedCall(listenUrl(url, `${format}&reference=a`));
    expect(JSON.parse(refused.body)).toMatchObject({
      err_code: 'INVALID_AUTH',
      err_msg: expect.stringContaining('Token'),
    });
  });

  it('is full with 503 and the time to wait, though sessions of others could be resumed', async () => {
    const { url } = await serve({ limits: { maxSessions: 1 } });
    const first = await callRaw(listenUrl(url, `${format}&reference=a`));
    const refused = await refusedCall(listenUrl(url, `${format}&reference=a`));
    expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': expect.stringMatching(/^\d+$/) } });
    expect(JSON.parse(refused.body)).toMatchObject({ err_code: 'SERVICE_UNAVAILABLE' });
    first.socket.close();
  });

  it('frees the place of a session whose client is gone: nobody can come back to it', async () => {
    const server = await serve({ limits: { maxSessions: 1 } });
    const first = await callRaw(listenUrl(server.url, `${format}&reference=a`));
    expect(server.stats().sessions).toBe(1);
    first.socket.terminate();
    await expect.poll(() => server.stats().sessions).toBe(0);
  });

  it('limits starts and connections of a token with words of its own', async () => {
    const { url } = await serve({
      tokens,
      limits: { startBurst: 1, startsPerSecond: 0.001, maxConnectionsPerToken: 1 },
    });
    const header = { authorization: `Token ${token}` };
    const first = await callRaw(listenUrl(url, `${format}&reference=a`), { headers: header });
    const refused = await refusedCall(listenUrl(url, `${format}&reference=a`), header);
    expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': expect.any(String) } });
    expect(JSON.parse(refused.body)).toMatchObject({ err_code: 'TOO_MANY_REQUESTS' });
    first.send({ type: 'CloseStream' });
    await first.closed;
    const second = await refusedCall(listenUrl(url, `${format}&reference=a`), header);
    expect(second).toMatchObject({ status: 429, headers: { 'retry-after': expect.stringMatching(/^\d+$/) } });
    expect(JSON.parse(second.body)).toMatchObject({
      err_code: 'TOO_MANY_REQUESTS',
      err_msg: expect.stringContaining('starts_per_second'),
    });
  });

  it('drains: what was heard is final, and the stream ends as it does', async () => {
    const server = await serve();
    const caller = await call(server.url);
    caller.speak(silence(500), rateHz);
    await caller.until((message) => message.type === 'Results');
    await server.drain();
    expect((await caller.closed).code).toBe(1001);
    expect(caller.results().at(-1)).toMatchObject({ is_final: true });
    expect(caller.messages.at(-1)).toMatchObject({ type: 'Metadata' });
  });

  it('answers a plain request as it would an upgrade, and counts sockets by their protocol', async () => {
    const { url, port } = await serve();
    const http = listenUrl(url).replace(/^ws/, 'http');
    expect(await (await fetch(http)).json()).toMatchObject({ error: { code: 'upgrade_required' } });
    expect((await fetch(http, { method: 'POST', body: 'RIFF' })).status).toBe(405);
    const socket = await callRaw(listenUrl(url, `${format}&reference=a`));
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(metrics).toContain('speechfb_sockets_total{protocol="deepgram"} 1');
    socket.socket.close();
  });
});

describe('the real model behind /v1/listen', () => {
  let shipped: Awaited<ReturnType<typeof openShippedModel>>;
  beforeAll(async () => {
    shipped = await openShippedModel();
  });
  afterAll(() => shipped?.close());

  const start = () => serve({ engine: shipped.engine, scoring: shipped.scoring });

  it('hears a recorded sentence word by word, and says how it was pronounced', async () => {
    const clip = readClip('leader');
    const caller = await call((await start()).url, { queryParams: { reference: clip.text }, vad_events: 'true' });
    caller.speak(clip.samples, clip.sampleRateHz);
    caller.live.sendFinalize({ type: 'Finalize' });
    await caller.until((message) => message.type === 'Results' && message.from_finalize === true);
    caller.live.sendCloseStream({ type: 'CloseStream' });
    await caller.closed;
    const final = caller.results().find((result) => result.from_finalize)!;
    expect(final.channel.alternatives[0]!.transcript).toBe(clip.text.replace('.', ''));
    expect(final).toMatchObject({ pronunciation: { heard: 'text' } });
    const { scores } = (final as unknown as { pronunciation: { scores: { accuracy: number } } }).pronunciation;
    expect(scores.accuracy).toBeGreaterThan(50);
    const interim = caller.results().filter((result) => !result.is_final);
    expect(interim.length).toBeGreaterThan(20);
    const lengths = interim.map(({ channel }) => channel.alternatives[0]!.words.length);
    expect(lengths.filter((length) => length > 0 && length < 8).length).toBeGreaterThan(5);
    expect(caller.messages.some((message) => message.type === 'SpeechStarted')).toBe(true);
  });

  it('ends the utterance at the pause behind its last word, unasked, and reads on', async () => {
    const clip = readClip('leader');
    const caller = await call((await start()).url, { endpointing: 300, queryParams: { reference: clip.text } });
    for (let i = 0; i < 2; i++) {
      caller.speak(clip.samples, clip.sampleRateHz);
      caller.speak(silence(1000), rateHz);
      await caller.until(() => caller.results().filter((result) => result.speech_final).length === i + 1);
    }
    const finals = caller.results().filter((result) => result.speech_final);
    const text = clip.text.replace('.', '');
    expect(finals.map(({ channel }) => channel.alternatives[0]!.transcript)).toEqual([text, text]);
    expect(finals[1]!.start).toBeGreaterThan(2.8);
    caller.live.close();
  });

  it('ends segments at pauses within the text, and says each word once', async () => {
    const clip = readClip('service');
    const caller = await call((await start()).url, { endpointing: 10, queryParams: { reference: clip.text } });
    // Between its two sentences the speaker makes no pause that is long enough.
    const between = 2.55 * clip.sampleRateHz;
    caller.speak(clip.samples.subarray(0, between), clip.sampleRateHz);
    caller.speak(silence(600), rateHz);
    caller.speak(clip.samples.subarray(between), clip.sampleRateHz);
    caller.live.sendCloseStream({ type: 'CloseStream' });
    await caller.closed;
    const finals = caller.results().filter((result) => result.is_final);
    expect(finals.map(({ speech_final }) => speech_final)).toEqual([true, false]);
    const said = finals.flatMap(({ channel }) => channel.alternatives[0]!.words.map(({ word }) => word));
    expect(said.join(' ')).toBe(clip.text.toLowerCase().replaceAll(/[.,]/g, ''));
    const spans = finals.map(({ start, duration }) => [start, start + duration] as const);
    for (const [i, [from]] of spans.slice(1).entries()) expect(from).toBeCloseTo(spans[i]![1], 3);
  });
});
