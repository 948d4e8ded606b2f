import { describe, expect, it } from 'vitest';
import type { ServerEvent } from '../../../src/protocol/server-messages.ts';
import type { RunningServer } from '../../../src/server/gateway/server.ts';
import { connect, finalPhones, startMessage, type TestClient } from '../../kit/server/client.ts';
import { policyOf, routed, spilling } from '../../kit/server/routed.ts';
import { serve } from '../../kit/server/serve.ts';

const text = 'abababab babababa';

describe('a session that another backend writes', () => {
  it('has its text from there and its phones from the own model', async () => {
    const { server, first } = await routed();
    const client = await connect(server.url);
    client.send(startMessage({ reference: { text } }));
    expect(await client.until('ready')).toMatchObject({ backend: 'first' });
    client.frames(0, 49);
    await expect.poll(() => first.last?.heardMs).toBe(1000);
    first.last.say('what he', { settled: 1 });
    expect(await client.until('transcript')).toMatchObject({
      text: 'what he',
      stability: 0.5,
      backend: 'first',
      is_final: false,
      audio_ms: 1000,
      words: [],
    });
    client.send({ type: 'finalize' });
    await expect.poll(() => first.last.told.at(-1)).toBe('over');
    first.last.say('what he said', { isFinal: true });
    const final = await client.until('utterance_final');
    expect(final).toMatchObject({ text: 'what he said', backend: 'first' });
    expect(client.of('transcript').at(-1)).toMatchObject({ text: 'what he said', is_final: true, stability: 1 });
    expect(finalPhones(client.events).length).toBeGreaterThan(5);
  });

  it('has the same phones and finals as one that no policy has a say in', async () => {
    const { server, first } = await routed();
    const plain = await read(await connect((await serve()).url), () => {});
    const client = await read(await connect(server.url), () => first.last.say('x', { isFinal: true }));
    const words = (events: readonly ServerEvent[]) =>
      events.flatMap((event) => (event.type === 'utterance_final' ? [event.words, event.scores] : []));
    expect(words(client.events)).toEqual(words(plain.events));
    expect(finalPhones(client.events)).toEqual(finalPhones(plain.events));
    expect(JSON.stringify(plain.events)).not.toContain('backend');
  });

  it('is heard from its beginning by the next backend, and its text never goes back', async () => {
    const { server, first, second } = await routed();
    const client = await connect(server.url);
    client.send(startMessage({ reference: { text } }));
    await client.until('ready');
    client.frames(0, 49);
    await expect.poll(() => first.last?.heardMs).toBe(1000);
    first.last.say('The cat sat on', { settled: 2 });
    await client.until('transcript');
    first.last.fail();
    expect(second.last).toMatchObject({ heardMs: 1000 });
    expect(second.last.startsMs[0]).toBe(0);
    second.last.say('the');
    second.last.say('the cap sat');
    second.last.say('the cap sat on a', { settled: 3 });
    const { text: shown, stability, backend } = await client.until('transcript', ({ rev }) => rev > 1);
    expect({ shown, stability, backend }).toEqual({ shown: 'The cat sat on a', stability: 0.6, backend: 'second' });
    client.frames(50, 99);
    client.send({ type: 'finalize' });
    await expect.poll(() => second.last.told.at(-1)).toBe('over');
    expect(second.last.heardMs).toBe(2000);
    second.last.say('the cap sat on a mat', { isFinal: true });
    expect(await client.until('utterance_final')).toMatchObject({ text: 'The cat sat on a mat', backend: 'second' });
  });

  it('replays utterances that wait for their texts, each with its own', async () => {
    const { server, first, second } = await routed();
    const client = await connect(server.url);
    client.send(startMessage({ reference: { text } }));
    await client.until('ready');
    client.frames(0, 24);
    client.send({ type: 'next_utterance', reference: { text } });
    client.frames(25, 49);
    await expect.poll(() => first.last?.heardMs).toBe(1000);
    expect(first.last.told.slice(-28, -25)).toEqual([20, 'over', 'next']);
    first.last.fail({ class: 'rate' });
    expect(second.last.told.filter((one) => typeof one === 'string')).toEqual(['over', 'next']);
    second.last.say('one', { utterance: 0, isFinal: true });
    expect(await client.until('utterance_final')).toMatchObject({ utterance_id: 1, text: 'one' });
    client.send({ type: 'finalize' });
    await expect.poll(() => second.last.told.at(-1)).toBe('over');
    second.last.say('two', { utterance: 1, isFinal: true });
    const final = await client.until('utterance_final', ({ utterance_id }) => utterance_id === 2);
    expect(final).toMatchObject({ text: 'two', backend: 'second' });
  });

  it('is written by the own model when the chain is at its end', async () => {
    const { server, first, second } = await routed();
    const client = await connect(server.url);
    client.send(startMessage({ reference: { text } }));
    await client.until('ready');
    client.frames(0, 24);
    await expect.poll(() => first.last?.heardMs).toBe(500);
    first.last.fail();
    second.last.fail({ class: 'auth' });
    client.frames(25, 99);
    client.send({ type: 'finalize' });
    expect(await client.until('utterance_final')).toMatchObject({ text, backend: 'local' });
    expect(client.of('info')).toEqual([]);
    expect(server.router!.view().fallbacks).toEqual([
      { backend: 'first', class: 'fault', count: 1 },
      { backend: 'second', class: 'auth', count: 1 },
    ]);
  });

  it('of a language that the model does not know has no phones, and is told so', async () => {
    const { server, first, second } = await routed();
    const client = await connect(server.url);
    client.send(startMessage({ reference: { text: 'これは何ですか' }, language: 'ja' }));
    expect(await client.until('ready')).toMatchObject({
      backend: 'first',
      scores_phones: false,
      reference: { words: [] },
    });
    client.frames(0, 24);
    await expect.poll(() => first.last?.heardMs).toBe(500);
    first.last.say('これは');
    await client.until('transcript');
    first.last.fail();
    second.last.fail();
    const { code } = await client.until('info');
    expect(code).toBe('transcript_lost');
    client.send({ type: 'finalize' });
    expect(await client.until('utterance_final')).toMatchObject({ heard: 'text', text: 'これは', words: [] });
    client.send({ type: 'next_utterance', reference: { text: 'はい' } });
    await expect.poll(() => first.hearings.length).toBe(2);
    client.frames(25, 49);
    client.send({ type: 'close' });
    await expect.poll(() => first.last.told.at(-1)).toBe('over');
    first.last.say('はい', { isFinal: true });
    expect(await client.until('utterance_final', ({ utterance_id }) => utterance_id === 2)).toMatchObject({
      text: 'はい',
      heard: 'text',
    });
    expect(client.of('phoneme_feedback')).toEqual([]);
  });

  it('gets its scores with the text that it was told, where the rest does not come in time', async () => {
    const finals: (string | undefined)[] = [];
    const utterance = { over() {}, told: (told: string | undefined) => void finals.push(told) };
    const witness = { session: () => ({ begin: () => utterance, push() {}, close() {} }) };
    const { server, first } = await routed({ limits: { transcriptWaitMs: 50 } }, witness);
    const client = await connect(server.url);
    client.send(startMessage({ reference: { text } }));
    await client.until('ready');
    client.frames(0, 49);
    await expect.poll(() => first.last?.heardMs).toBe(1000);
    first.last.say('some of it');
    client.send({ type: 'finalize' });
    expect(await client.until('utterance_final')).toMatchObject({ text: 'some of it', backend: 'first' });
    expect(client.of('info').map(({ code }) => code)).toEqual(['transcript_lost']);
    // Whoever judges the backend hears of no final text.
    expect(finals).toEqual([undefined]);
  });

  it('is heard there alone while all places of our own are taken, and by our own when there are some again', async () => {
    const { server, first } = await spilling(2);
    const own = await begin(server);
    expect(own.ready).toMatchObject({ backend: 'own' });
    expect(own.ready).not.toHaveProperty('scores_phones');
    const spilled = await begin(server);
    expect(spilled.ready).toMatchObject({ backend: 'first', scores_phones: false });
    expect((await begin(server)).ready).toMatchObject({ backend: 'first', scores_phones: false });
    const late = await connect(server.url).then(
      async (client) => {
        client.send(startMessage({ reference: { text } }));
        return (await client.until('error')).message;
      },
      (error: Error) => error.message,
    );
    expect(late).toMatch(/all 1 sessions that this machine carries are taken|503/);
    expect(server.router!.requestOf(someone)).toMatchObject({ load: 1 });

    spilled.client.frames(0, 49);
    spilled.client.send({ type: 'close' });
    await expect.poll(() => first.hearings[0]?.told.at(-1)).toBe('over');
    first.hearings[0]!.say('as it was said', { isFinal: true });
    expect(await spilled.client.until('utterance_final')).toMatchObject({ text: 'as it was said', words: [] });
    expect(spilled.client.of('phoneme_feedback')).toEqual([]);
    await spilled.client.closed;
    expect(server.router!.requestOf(someone)).toMatchObject({ load: 1 });

    own.client.send({ type: 'close' });
    await own.client.closed;
    await expect.poll(() => server.router!.requestOf(someone).load).toBe(0);
    const back = await begin(server);
    expect(back.ready).toMatchObject({ backend: 'own' });
    expect(back.ready).not.toHaveProperty('scores_phones');
  });

  it('takes no place of our own in a language that the model does not know', async () => {
    const { server } = await spilling(1);
    expect((await begin(server, 'ja')).ready).toMatchObject({ backend: 'first', scores_phones: false });
    expect((await begin(server)).ready).toMatchObject({ backend: 'own' });
  });

  it('is refused when every backend of its chain is hindered', async () => {
    const { server, first, second } = await routed();
    first.why = 'broken';
    second.why = 'over its cost';
    const client = await connect(server.url);
    client.send(startMessage({ reference: { text } }));
    expect(await client.until('error')).toMatchObject({
      code: 'server_busy',
      message: 'no backend takes a session of rule "all" now: first is broken, second is over its cost',
    });
  });

  it('is metered at each backend that heard it, once', async () => {
    const { server, first, second, metered } = await routed();
    const client = await connect(server.url);
    client.send(startMessage({ reference: { text } }));
    await client.until('ready');
    client.frames(0, 49);
    await expect.poll(() => first.last?.heardMs).toBe(1000);
    first.last.fail();
    client.frames(50, 99);
    client.send({ type: 'close' });
    await expect.poll(() => second.last.told.at(-1)).toBe('over');
    second.last.say('done', { isFinal: true });
    await client.closed;
    const sums = new Map<string, number>();
    for (const { backend, audioMs } of metered) sums.set(backend, (sums.get(backend) ?? 0) + audioMs);
    expect([...sums]).toEqual([
      ['first', 1000],
      ['second', 2000],
    ]);
    expect(server.router!.view().backends.map(({ sessions }) => sessions)).toEqual([0, 0]);
  });

  it('keeps its backend when the socket is cut, and when another policy is adopted', async () => {
    const { server, first, second } = await routed();
    const client = await connect(server.url);
    client.send(startMessage({ reference: { text } }));
    const { session_id, resume_token } = await client.until('ready');
    client.frames(0, 24);
    await expect.poll(() => first.last?.heardMs).toBe(500);
    server.router!.adopt(policyOf({ all: 'second' }, first, second));
    client.cut();
    const again = await connect(server.url);
    again.send({ type: 'resume', session_id, resume_token, last_event_id: 1 });
    expect(await again.until('ready')).toMatchObject({ resumed: true, backend: 'first' });
    const other = await connect(server.url);
    other.send(startMessage({ reference: { text } }));
    expect(await other.until('ready')).toMatchObject({ backend: 'second' });
  });
});

const someone = {
  id: 'x',
  language: 'en',
  lane: 'live',
  device: undefined,
  tenant: undefined,
  user: undefined,
} as const;

async function begin(server: RunningServer, language = 'en-US') {
  const client = await connect(server.url);
  client.send(startMessage({ reference: { text }, language }));
  return { client, ready: await client.until('ready') };
}

async function read(client: TestClient, finish: () => void): Promise<TestClient> {
  client.send(startMessage({ reference: { text } }));
  await client.until('ready');
  client.frames(0, 99);
  client.send({ type: 'finalize' });
  await client.until('ack', ({ next_seq }) => next_seq === 100);
  finish();
  await client.until('utterance_final');
  return client;
}
