import { describe, expect, it } from 'vitest';
import type { RunningServer } from '../../../src/server/gateway/server.ts';
import { policyOf, routed, spilling } from '../../kit/server/routed.ts';
import { callRaw, type RawCaller, refusedCall } from '../../kit/vendors/raw-caller.ts';

/** Clients of other protocols under a routing policy: the same sessions, so the same rules. */
const rateHz = 16_000;
const silence = (ms: number): Int16Array => new Int16Array((ms / 1000) * rateHz);
const text = 'abababab babababa';
function listenUrl({ url }: RunningServer, more: Record<string, string> = {}): string {
  const query = { encoding: 'linear16', sample_rate: '16000', reference: text, interim_results: 'true', ...more };
  return `${url.replace('/v1/stream', '/v1/listen')}?${new URLSearchParams(query)}`;
}

async function transcribe({ url }: RunningServer, language = 'en-US'): Promise<RawCaller> {
  const caller = await callRaw(url.replace('/v1/stream', '/v1/realtime'));
  const input = {
    format: { type: 'audio/pcm', rate: rateHz },
    transcription: { model: 'whisper-1', prompt: text, language },
    turn_detection: null,
  };
  caller.send({ type: 'session.update', session: { type: 'transcription', audio: { input } } });
  await caller.until('session.updated');
  return caller;
}

function append(caller: RawCaller, ms: number): void {
  const audio = Buffer.from(silence(ms).buffer).toString('base64');
  caller.send({ type: 'input_audio_buffer.append', audio });
}

type Result = {
  type: string;
  is_final: boolean;
  speech_final: boolean;
  backend?: string;
  channel: { alternatives: [{ transcript: string; words: { word: string; start: number; end: number }[] }] };
  pronunciation?: { heard: string; scores: { accuracy: number | null } };
};
const resultsOf = (caller: RawCaller) => caller.said().filter(({ type }) => type === 'Results') as unknown as Result[];
const deltasOf = (caller: RawCaller) =>
  caller.said().flatMap(({ type, delta }) => (String(type).endsWith('.delta') ? [delta] : []));

describe('a client of /v1/listen', () => {
  it('reads the words of the backend that its rule names, with their times, and the phones of the own model', async () => {
    const { server, first } = await routed();
    const caller = await callRaw(listenUrl(server, { endpointing: 'false' }));
    caller.socket.send(silence(1000));
    await expect.poll(() => first.last?.heardMs).toBe(1000);
    first.last.say('what He', { settled: 1, eachMs: 300 });
    await caller.until('what He');
    const interim = resultsOf(caller).find(({ channel }) => channel.alternatives[0].transcript === 'what He')!;
    expect(interim).toMatchObject({ is_final: false, backend: 'first' });
    expect(interim.channel.alternatives[0].words).toMatchObject([
      { word: 'what', start: 0, end: 0.3, confidence: 1, punctuated_word: 'what' },
      { word: 'he', start: 0.3, end: 0.6, confidence: 0.5, punctuated_word: 'He' },
    ]);
    caller.send({ type: 'Finalize' });
    await expect.poll(() => first.last.told.at(-1)).toBe('over');
    first.last.say('what He said', { isFinal: true, eachMs: 300 });
    await caller.until('"is_final":true');
    const final = resultsOf(caller).at(-1)!;
    expect(final).toMatchObject({ backend: 'first', pronunciation: { heard: 'text', scores: { accuracy: 90 } } });
    expect(final.channel.alternatives[0]).toMatchObject({ transcript: 'what He said', words: { length: 3 } });
  });

  it('reads words without times in the transcript alone', async () => {
    const { server, first } = await routed();
    const caller = await callRaw(listenUrl(server, { endpointing: 'false' }));
    caller.socket.send(silence(500));
    await expect.poll(() => first.last?.heardMs).toBe(500);
    caller.send({ type: 'Finalize' });
    await expect.poll(() => first.last.told.at(-1)).toBe('over');
    first.last.say('what he said', { isFinal: true });
    await caller.until('"is_final":true');
    expect(resultsOf(caller).at(-1)!.channel.alternatives[0]).toEqual({
      transcript: 'what he said',
      confidence: 1,
      words: [],
    });
  });

  it('reads the next backend where the first fails, and never less than before', async () => {
    const { server, first, second } = await routed();
    const caller = await callRaw(listenUrl(server, { endpointing: 'false' }));
    caller.socket.send(silence(1000));
    await expect.poll(() => first.last?.heardMs).toBe(1000);
    first.last.say('The cat sat on', { settled: 2 });
    await caller.until('The cat sat on');
    first.last.fail();
    caller.send({ type: 'Finalize' });
    await expect.poll(() => second.last?.told.at(-1)).toBe('over');
    second.last.say('the cap sat on a mat', { isFinal: true });
    await caller.until('"is_final":true');
    const final = resultsOf(caller).at(-1)!;
    expect(final).toMatchObject({ backend: 'second' });
    expect(final.channel.alternatives[0].transcript).toBe('The cat sat on a mat');
  });

  it('reads the own words with their confidence where the own model goes on', async () => {
    const { server, first, second } = await routed();
    const caller = await callRaw(listenUrl(server, { endpointing: 'false' }));
    caller.socket.send(silence(500));
    await expect.poll(() => first.last?.heardMs).toBe(500);
    first.last.fail();
    second.last.fail();
    caller.socket.send(silence(1500));
    caller.send({ type: 'Finalize' });
    await caller.until('"is_final":true');
    const final = resultsOf(caller).at(-1)!;
    expect(final).toMatchObject({ backend: 'local' });
    expect(final.channel.alternatives[0]).toMatchObject({ transcript: text, words: { length: 2 } });
  });

  it('is heard by a backend alone in a language that the model does not know', async () => {
    const { server, first } = await routed();
    const caller = await callRaw(listenUrl(server, { language: 'es', endpointing: 'false' }));
    caller.socket.send(silence(500));
    await expect.poll(() => first.last?.heardMs).toBe(500);
    caller.send({ type: 'Finalize' });
    await expect.poll(() => first.last.told.at(-1)).toBe('over');
    first.last.say('hola', { isFinal: true });
    await caller.until('"is_final":true');
    const final = resultsOf(caller).at(-1)!;
    expect(final.channel.alternatives[0].transcript).toBe('hola');
    expect(final.pronunciation).toMatchObject({ heard: 'text', scores: { accuracy: null } });
  });

  it('spills like everybody while all places are taken, and is refused by status when nothing is left', async () => {
    const { server, first } = await spilling(1);
    const own = await callRaw(listenUrl(server));
    await expect.poll(() => server.router!.view().backends.map(({ sessions }) => sessions)).toEqual([1, 0]);
    const spilled = await callRaw(listenUrl(server, { endpointing: 'false' }));
    spilled.socket.send(silence(300));
    await expect.poll(() => first.last?.heardMs).toBe(300);
    expect(server.router!.view().backends.map(({ sessions }) => sessions)).toEqual([1, 1]);
    first.why = 'full';
    const refused = await refusedCall(listenUrl(server));
    expect(refused.status).toBe(503);
    expect(refused.headers['retry-after']).toBeDefined();
    for (const caller of [own, spilled]) caller.send({ type: 'CloseStream' });
    await own.closed;
  });
});

describe('a client of /v1/realtime', () => {
  it('is told the words of its backend once they are settled, and all of them with the phones of the own model', async () => {
    const { server, first } = await routed();
    const caller = await transcribe(server);
    append(caller, 1000);
    await expect.poll(() => first.last?.heardMs).toBe(1000);
    first.last.say('what he', { settled: 1 });
    await caller.until('.delta');
    first.last.say('what she says', { settled: 2 });
    await caller.until('" she"');
    caller.send({ type: 'input_audio_buffer.commit' });
    await expect.poll(() => first.last.told.at(-1)).toBe('over');
    first.last.say('what she says now', { isFinal: true });
    const completed = JSON.parse(await caller.until('.completed'));
    expect(deltasOf(caller)).toEqual(['what', ' she', ' says now']);
    expect(completed).toMatchObject({
      transcript: 'what she says now',
      backend: 'first',
      pronunciation: { heard: 'text', scores: { accuracy: 90 } },
    });
  });

  it('is told nothing twice and nothing back when the own model goes on', async () => {
    const { server, first, second } = await routed();
    const caller = await transcribe(server);
    append(caller, 500);
    await expect.poll(() => first.last?.heardMs).toBe(500);
    first.last.say('ABABABAB and', { settled: 1 });
    await caller.until('.delta');
    first.last.fail();
    second.last.fail();
    append(caller, 1500);
    caller.send({ type: 'input_audio_buffer.commit' });
    const completed = JSON.parse(await caller.until('.completed'));
    expect(completed).toMatchObject({ transcript: 'ABABABAB babababa', backend: 'local' });
    expect(deltasOf(caller).join('')).toBe('ABABABAB babababa');
  });

  it('is told in its words that no backend takes it', async () => {
    const { server, first, second } = await routed();
    first.why = 'broken';
    second.why = 'over its cost';
    const caller = await callRaw(server.url.replace('/v1/stream', '/v1/realtime'));
    const input = { format: { type: 'audio/pcm', rate: rateHz }, transcription: { prompt: text } };
    caller.send({ type: 'session.update', session: { type: 'transcription', audio: { input } } });
    const { error } = JSON.parse(await caller.until('"error"'));
    expect(error).toMatchObject({ type: 'server_error', code: 'server_overloaded' });
    expect(error.message).toContain('first is broken, second is over its cost');
    expect((await caller.closed).code).toBe(1013);
  });

  it('sees another policy from its next session on', async () => {
    const { server, first, second } = await routed();
    const caller = await transcribe(server);
    server.router!.adopt(policyOf({ all: 'second' }, first, second));
    append(caller, 300);
    await expect.poll(() => first.last?.heardMs).toBe(300);
    append(await transcribe(server), 300);
    await expect.poll(() => second.last?.heardMs).toBe(300);
  });
});
