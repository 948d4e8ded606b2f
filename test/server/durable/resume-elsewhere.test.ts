import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { playRecording } from '../../../src/client/playback.ts';
import { checkUrl } from '../../../src/client/url.ts';
import type { Replay } from '../../../src/protocol/client-messages.ts';
import type { ServerEvent } from '../../../src/protocol/server-messages.ts';
import { routingPolicy } from '../../../src/routing/policy/policy.ts';
import type { RunningServer, ServerOptions } from '../../../src/server/gateway/server.ts';
import type { LocalModel } from '../../../src/server/hearing/local-model.ts';
import { MemorySessionStore } from '../../../src/stores/memory-store.ts';
import { connect, type EventOf, startMessage, type TestClient } from '../../kit/server/client.ts';
import { Learner, text, told } from '../../kit/server/learner.ts';
import { scriptedEngine, scriptedScoring } from '../../kit/server/scripted.ts';
import { serve } from '../../kit/server/serve.ts';

const now = (): number => performance.now();

describe('a learner whose gateway dies', () => {
  it.each([0, 1, 7, 20, 38, 60, 99])(
    'after frame %i reads on at another one: no phone is lost, none comes twice',
    async (last) => {
      const [one, two] = await gateways();
      const uncut = await readWhole(one.url);
      const learner = new Learner(() => [one.url, two.url]);
      await learner.speak(0, last);
      await one.close();
      await learner.speak(last + 1, 99);
      expect(await learner.finish()).toMatchObject({ outcome: 'closed', code: 1000 });
      expect(learner.broken).toEqual([]);
      expect(told(learner.events)).toEqual(told(uncut));
      expect(learner.of('ready').map(({ resumed }) => resumed)).toEqual([false, true]);
      await expect.poll(() => two.stats().sessions).toBe(0);
    },
  );

  it('goes on with each text that has no final, and gets no final twice', async () => {
    const [one, two] = await gateways();
    const learner = new Learner(() => [one.url, two.url]);
    await learner.speak(0, 49);
    learner.client.nextUtterance({ text: 'baba abab' });
    await learner.until('utterance_final', 1);
    await learner.speak(0, 29);
    learner.client.nextUtterance({ text: 'ab' });
    await one.close();
    await learner.speak(0, 29);
    expect(await learner.finish()).toMatchObject({ outcome: 'closed' });
    expect(learner.broken).toEqual([]);
    const finals = learner.of('utterance_final');
    expect(finals.map(({ utterance_id, reason }) => [utterance_id, reason])).toEqual([
      [1, 'next_utterance'],
      [2, 'next_utterance'],
      [3, 'finalize'],
    ]);
    expect(finals.map(({ words }) => words.map((word) => word.text).join(' '))).toEqual([text, 'baba abab', 'ab']);
    // The second text begins where the first ended, on one clock, at whichever gateway.
    expect(finals[1]!.words[0]!.start_ms).toBe(1000);
    expect(finals[2]!.words[0]!.start_ms).toBe(1600);
  });

  it('survives one gateway after the other', async () => {
    const store = new MemorySessionStore(now);
    const servers = await Promise.all([1, 2, 3, 4].map(() => serve({ store })));
    const learner = new Learner(() => servers.map(({ url }) => url));
    for (const [index, server] of servers.slice(0, 3).entries()) {
      await learner.speak(25 * index, 25 * index + 24);
      await server.close();
    }
    await learner.speak(75, 99);
    expect(await learner.finish()).toMatchObject({ outcome: 'closed' });
    expect(learner.broken).toEqual([]);
    expect(told(learner.events)).toEqual(told(await readWhole(servers[3]!.url)));
  });

  it('is not too fast for having kept a minute of sound', async () => {
    const store = new MemorySessionStore(now);
    const [one, two] = [await serve({ store, limits: { maxBufferedMs: 100_000 } }), await serve({ store })];
    const first = await startAt(one);
    first.frames(0, 2999);
    await first.until('ack', ({ next_seq }) => next_seq === 3000);
    // As if they had been spoken in a minute: what was saved says how long ago that began.
    await one.close();
    const { claim } = store;
    store.claim = async (...given) => {
      const outcome = await claim.apply(store, given);
      return outcome.kind === 'claimed' ? { ...outcome, ageMs: 60_000 } : outcome;
    };
    const second = await connect(two.url);
    second.send({ ...resume(first), replay: nothingTold });
    expect(await second.until('ready')).toMatchObject({ resumed: true, next_seq: 0, utterance_id: 1 });
    second.frames(0, 2999);
    second.send({ type: 'close' });
    expect((await second.closed).code).toBe(1000);
    expect(second.of('utterance_final')).toHaveLength(1);
  });
});

describe('a gateway that goes away', () => {
  it.each([
    ['where the other one is found', true],
    ['where both are found', false],
  ])('sends its learners on, %s, and none of them hears anything twice', async (_, hasUrl) => {
    const store = new MemorySessionStore(now);
    const [one, other] = [await serve({ store }), await serve({ store })];
    const { announce } = store;
    store.announce = async (...given) =>
      (await announce.apply(store, given)).map((found) => ({ ...found, url: hasUrl ? other.url : '' }));
    const uncut = await readWhole(other.url);
    const learner = new Learner(() => (hasUrl ? [one.url] : [one.url, other.url]));
    await learner.speak(0, 40);
    await expect.poll(async () => (await announce.call(store, { id: 'x', url: '', models: [] }, 0)).length).toBe(2);
    const drained = await one.drain();
    expect(drained).toEqual({ sessions: 1, finished: 1 });
    await learner.speak(41, 99);
    expect(await learner.finish()).toMatchObject({ outcome: 'closed' });
    expect(learner.broken).toEqual([]);
    expect(learner.of('moving')).toHaveLength(1);
    expect(learner.of('go_away')).toEqual([]);
    expect(told(learner.events)).toEqual(told(uncut));
  });

  it.each<[what: string, run: [boolean, boolean], hasUrl: boolean, goes: boolean]>([
    ['to the only one that runs the version which scores them', [false, true], true, true],
    ['nowhere, where none of them runs it', [false, false], true, false],
    ['nowhere, where it cannot be said which of them runs it', [false, true], false, false],
    ['to any of them, where all run it', [true, true], false, true],
  ])('sends its learners %s', async (_, run, hasUrl, goes) => {
    const store = new MemorySessionStore(now);
    const own = await serve({ store, routing: newer(true) });
    const others = [await serve({ store, routing: newer(run[0]) }), await serve({ store, routing: newer(run[1]) })];
    const { announce } = store;
    store.announce = async (...given) => {
      const found = (await announce.apply(store, given)).toSorted(
        (one, other) => one.models.length - other.models.length,
      );
      return found.map((peer, index) => ({ ...peer, url: hasUrl ? others[index]!.url : '' }));
    };
    await expect.poll(async () => (await announce.call(store, { id: 'x', url: '', models: [] }, 0)).length).toBe(3);
    const learner = new Learner(() => (hasUrl ? [own.url] : [own.url, others[0]!.url]));
    await learner.speak(0, 40);
    await own.drain();
    if (!goes) {
      expect([learner.of('moving'), learner.of('go_away').length]).toEqual([[], 1]);
      expect(learner.of('utterance_final')).toHaveLength(1);
      return;
    }
    await learner.speak(41, 99);
    expect(await learner.finish()).toMatchObject({ outcome: 'closed' });
    expect(learner.broken).toEqual([]);
    expect(learner.of('ready').map(({ resumed, model }) => [resumed, model.version])).toEqual([
      [false, '9'],
      [true, '9'],
    ]);
  });

  it('without another one, or with a client that does not follow, ends them as ever', async () => {
    const [one, two] = await gateways();
    const client = await startAt(one);
    client.frames(0, 20);
    await client.until('ack');
    await Promise.all([one.drain(), client.until('go_away')]);
    expect(client.of('utterance_final')).toHaveLength(1);
    expect(client.of('moving')).toEqual([]);
    await two.close();
  });
});

describe('a resume at another gateway', () => {
  it('tells in each ack from where sound is to be kept, and does not without a store', async () => {
    const [one] = await gateways();
    const durable = await startAt(one);
    durable.frames(0, 20);
    durable.send({ type: 'next_utterance', reference: { text: 'ba' } });
    durable.frames(21, 40);
    expect((await durable.until('ack', ({ next_seq }) => next_seq > 21)).keep_from).toBe(0);
    const alone = await startAt(await serve());
    alone.frames(0, 20);
    expect(await alone.until('ack')).not.toHaveProperty('keep_from');
  });

  it.each([
    ['without what it has kept', {}, 'session_not_found', /its client has kept nothing/],
    ['with a wrong token', { resume_token: 'wrong', replay: nothing() }, 'unauthorized', /resume_token/],
    ['of a session that never was', { session_id: 'never', replay: nothing() }, 'session_not_found', /no such session/],
    ['of an id that is none', { session_id: '}{', replay: nothing() }, 'session_not_found', /no such session/],
    [
      'that lacks a text before those kept',
      { replay: { ...nothing(), seq: 0, utterance_id: 3, epoch: 4 } },
      'session_not_found',
      /sample clock/,
    ],
  ])('%s is refused, and the session can still be had', async (_, changes, code, message) => {
    const [one, two] = await gateways();
    const first = await startAt(one);
    first.frames(0, 20);
    await first.until('ack');
    await one.close();
    const wrong = await connect(two.url);
    wrong.send({ ...resume(first), ...changes });
    const error = await wrong.until('error');
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    const right = await connect(two.url);
    right.send({ ...resume(first), replay: nothing() });
    expect(await right.until('ready')).toMatchObject({ resumed: true, session_id: first.of('ready')[0]!.session_id });
  });

  it('is refused aloud by a gateway with another model', async () => {
    const store = new MemorySessionStore(now);
    const engine = scriptedEngine();
    const newer = { ...engine, model: { ...engine.model, version: '9' } };
    const [one, two] = [await serve({ store }), await serve({ store, engine: newer })];
    const first = await startAt(one);
    await one.close();
    const second = await connect(two.url);
    second.send({ ...resume(first), replay: nothing() });
    const { code, message } = await second.until('error');
    expect([code, message]).toEqual([
      'session_not_found',
      'the session was scored by scripted 0, and this gateway has scripted 9',
    ]);
  });

  it.each([
    ['goes on by the version that it began with, where that runs too', true, '9'],
    [
      'is refused aloud where that version does not run',
      false,
      'the session was scored by scripted 9, and this gateway',
    ],
  ])('of several models %s', async (_, runs, told) => {
    const store = new MemorySessionStore(now);
    const [one, two] = [await serve({ store, routing: newer(true) }), await serve({ store, routing: newer(runs) })];
    const first = await startAt(one);
    expect(first.of('ready')[0]!.model.version).toBe('9');
    await one.close();
    const second = await connect(two.url);
    second.send({ ...resume(first), replay: nothing() });
    if (runs) expect(await second.until('ready')).toMatchObject({ resumed: true, model: { version: told } });
    else expect((await second.until('error')).message).toContain(told);
  });

  it('is refused aloud when what was saved is of another version', async () => {
    const store = new MemorySessionStore(now);
    const { save } = store;
    store.save = (saved, ttlMs) =>
      save.call(store, { ...saved, value: saved.value.replace('"version":1', '"version":2') }, ttlMs);
    const [one, two] = [await serve({ store }), await serve({ store })];
    const first = await startAt(one);
    await one.close();
    const second = await connect(two.url);
    second.send({ ...resume(first), replay: nothing() });
    expect(await second.until('error')).toMatchObject({
      code: 'session_not_found',
      message: /it has version 2, not 1/,
    });
  });

  it('takes the session from a gateway that still lives, which then lets it go', async () => {
    const [one, two] = await gateways();
    const first = await startAt(one);
    first.frames(0, 20);
    await first.until('ack');
    const second = await connect(two.url);
    second.send({ ...resume(first), replay: nothing() });
    await second.until('ready');
    // Whatever it would save next tells it.
    first.send({ type: 'config', granularity: 'word' });
    expect(await first.until('error')).toMatchObject({ code: 'session_conflict' });
    expect((await first.closed).code).toBe(4409);
    expect([one.stats().sessions, two.stats().sessions]).toEqual([0, 1]);
    second.frames(0, 39);
    second.send({ type: 'close' });
    expect((await second.closed).code).toBe(1000);
  });

  it('back at the first gateway finds what was said at the second', async () => {
    const [one, two] = await gateways();
    const first = await startAt(one);
    first.frames(0, 10);
    await first.until('ack');
    first.cut();
    const second = await connect(two.url);
    second.send({ ...resume(first), replay: nothing() });
    await second.until('ready');
    second.cut();
    const third = await connect(one.url);
    third.send({ ...resume(first), replay: nothing() });
    expect(await third.until('ready')).toMatchObject({ resumed: true, next_seq: 0 });
    expect(one.stats().sessions).toBe(1);
  });
});

describe('a session in a region', () => {
  it('starts where it asks to be, which ready names, and nowhere else', async () => {
    const [eu, nowhere] = [await serve({ region: 'eu' }), await serve()];
    const here = await connect(eu.url);
    here.send(startMessage({ region: 'eu' }));
    expect(await here.until('ready')).toMatchObject({ region: 'eu' });
    for (const [server, region, where] of [
      [eu, 'us', /asks for region us, and this server is in eu/],
      [nowhere, 'eu', /asks for region eu, and this server has no region/],
    ] as const) {
      const client = await connect(server.url);
      client.send(startMessage({ region }));
      expect(await client.until('error')).toMatchObject({
        code: 'wrong_region',
        message: expect.stringMatching(where),
      });
      expect((await client.closed).code).toBe(4403);
    }
    const any = await startAt(nowhere);
    expect(any.of('ready')[0]).not.toHaveProperty('region');
  });

  it('cannot be resumed in another, though a store had it, and still can in its own', async () => {
    const store = new MemorySessionStore(now);
    const [eu, us, other] = [
      await serve({ store, region: 'eu' }),
      await serve({ store, region: 'us' }),
      await serve({ store, region: 'eu' }),
    ];
    const first = await startAt(eu);
    first.frames(0, 20);
    await first.until('ack');
    await eu.close();
    const abroad = await connect(us.url);
    abroad.send({ ...resume(first), region: 'eu', replay: nothing() });
    expect(await abroad.until('error')).toMatchObject({
      code: 'wrong_region',
      message: 'the session is in region eu, and this server is in us',
      retryable: false,
    });
    const back = await connect(other.url);
    back.send({ ...resume(first), region: 'eu', replay: nothing() });
    expect(await back.until('ready')).toMatchObject({ resumed: true, region: 'eu' });
  });
});

it('our client says at a resume in which region its session is', async () => {
  const store = new MemorySessionStore(now);
  const [eu, us] = [await serve({ store, region: 'eu' }), await serve({ store, region: 'us' })];
  let isClosed = false;
  const summary = playRecording(
    {
      recording: { pcm: new Uint8Array(64_000), sampleRateHz: 16_000 },
      text,
      url: checkUrl(eu.url),
      alsoAt: [checkUrl(us.url)],
      token: undefined,
      frameMs: 20,
      emitIntervalMs: 100,
      lane: 'live',
      cutAtMs: undefined,
      patience: { readyMs: 8000, answerMs: 8000, finalMs: 8000 },
    },
    {
      onEvent({ type }) {
        if (type === 'ack' && !isClosed) void eu.close();
        isClosed ||= type === 'ack';
      },
      onSpoken() {},
      onDropped() {},
      signal: new AbortController().signal,
    },
  );
  await expect(summary).rejects.toThrow(/the session is in region eu, and this server is in us/);
});

/** Two gateways that share a store. */
async function gateways(): Promise<[RunningServer, RunningServer]> {
  const store = new MemorySessionStore(now);
  return [await serve({ store }), await serve({ store })];
}

async function startAt(server: RunningServer): Promise<TestClient> {
  const client = await connect(server.url);
  client.send(startMessage({ reference: { text } }));
  await client.until('ready');
  return client;
}

const nothingTold: Replay = nothing();

/** What a client says that has kept everything and was told nothing. */
function nothing(): Replay {
  return { utterance_id: 1, epoch: 0, seq: 0, sample: 0, told: [] };
}

function resume({ events }: TestClient) {
  const ready = events.find((event): event is EventOf<'ready'> => event.type === 'ready')!;
  const last_event_id = Math.max(...events.map((event) => event.event_id));
  return { type: 'resume', session_id: ready.session_id, resume_token: ready.resume_token, last_event_id } as const;
}

async function readWhole(url: string): Promise<readonly ServerEvent[]> {
  const client = await connect(url);
  client.send(startMessage({ reference: { text } }));
  await client.until('ready');
  client.frames(0, 99);
  client.send({ type: 'close' });
  await client.closed;
  return client.events;
}

/** A policy that gives all sessions to version 9 of the model, which runs there, or has gone from the policy. */
function newer(runs: boolean): ServerOptions['routing'] {
  const engine = scriptedEngine();
  const model: LocalModel = {
    identity: 'scripted 9',
    engine: { ...engine, model: { ...engine.model, version: '9' } },
    scoring: scriptedScoring,
    sessions: 0,
    hindrance: () => undefined,
    hold: () => () => {},
  };
  const { spec } = routingPolicy.parse({
    kind: 'RoutingPolicy',
    spec: {
      backends: [
        { name: 'next', kind: 'local', languages: ['en'], price: '$0.0004/min', ...(runs && { model: 'next' }) },
        { name: 'others', kind: 'scripted', price: '$1/h' },
      ],
      rules: [
        { name: 'English', when: { language: ['en'] }, to: { next: '100%' } },
        { name: 'rest', to: { others: '100%' } },
      ],
    },
  });
  const models = new Map(runs ? [['next', model]] : []);
  return { policy: { name: 'versions', spec, backends: new Map(), models }, models: () => [...models.values()] };
}
