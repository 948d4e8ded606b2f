import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MemoryResultStore } from '../../src/stores/memory-result-store.ts';
import { RedisLink } from '../../src/stores/redis/redis-link.ts';
import { RedisResultStore } from '../../src/stores/redis/redis-result-store.ts';
import { RedisSessionStore } from '../../src/stores/redis/redis-session-store.ts';
import type { ExpectedResult, ResultStore } from '../../src/stores/result-store.ts';
import { startRedis } from '../kit/redis.ts';
import { redisLack } from '../kit/redis-lack.ts';

/** Stores that a gateway and a worker share, and how time passes in them. */
const kinds: readonly [string, () => Promise<{ store: ResultStore; other: ResultStore; pass(ms: number): unknown }>][] =
  [
    [
      'memory',
      async () => {
        let nowMs = 1000;
        const store = new MemoryResultStore(() => nowMs);
        return { store, other: store, pass: (ms) => (nowMs += ms) };
      },
    ],
    [
      'Redis',
      async () => {
        const { place } = await startRedis();
        const [store, other] = [new RedisResultStore({ place, answerMs }), new RedisResultStore({ place, answerMs })];
        onTestFinished(async () => void (await Promise.all([store.close(), other.close()])));
        await expect.poll(() => store.isUp && other.isUp).toBe(true);
        return { store, other, pass: wait };
      },
    ],
  ];

describe.each(redisLack ? kinds.slice(0, 1) : kinds)('a store of results (%s)', (_, open) => {
  it('gives all sound of a session one key, and counts the tries at each utterance', async () => {
    const { store, other } = await open();
    expect(await store.expect(handed(), ttlMs)).toEqual({ kind: 'expected', dataKey: 'k1' });
    const second = handed({ utteranceId: 2, dataKey: 'k2' });
    expect(await other.expect(second, ttlMs)).toEqual({ kind: 'expected', dataKey: 'k1' });
    expect(await other.begin(name)).toEqual({ kind: 'wanted', tries: 1, dataKey: 'k1' });
    expect(await store.begin(name)).toEqual({ kind: 'wanted', tries: 2, dataKey: 'k1' });
    expect(await store.begin(second)).toEqual({ kind: 'wanted', tries: 1, dataKey: 'k1' });
  });

  it('writes a result once, whoever comes with it', async () => {
    const { store, other } = await open();
    await store.expect(handed(), ttlMs);
    const outcomes = await Promise.all(
      ['a', 'b', 'c', 'd'].map((value, at) => (at % 2 ? store : other).finish(name, { state: 'done', value }, ttlMs)),
    );
    expect(outcomes.sort()).toEqual(['already', 'already', 'already', 'written']);
    expect(await store.begin(name)).toEqual({ kind: 'finished' });
    expect(await store.expect(handed(), ttlMs)).toEqual({ kind: 'known' });
  });

  it('tells what is there and what is to come, in the order of the utterances', async () => {
    const { store, other } = await open();
    for (const utteranceId of [12, 2, 3]) await store.expect(handed({ utteranceId }), ttlMs);
    await other.finish({ ...name, utteranceId: 12 }, { state: 'done', value: '{"ü":1}' }, ttlMs);
    await other.finish({ ...name, utteranceId: 3 }, { state: 'failed', value: 'why' }, ttlMs);
    expect(await store.read('s')).toEqual({
      kind: 'found',
      tokenHash: 't',
      owner: 'o',
      utterances: [
        { utteranceId: 2, eventId: 7, state: 'pending' },
        { utteranceId: 3, eventId: 7, state: 'failed', value: 'why' },
        { utteranceId: 12, eventId: 7, state: 'done', value: '{"ü":1}' },
      ],
    });
  });

  it('begins anew with what failed, when it is handed over again', async () => {
    const { store } = await open();
    await store.expect(handed(), ttlMs);
    await store.begin(name);
    await store.finish(name, { state: 'failed', value: 'why' }, ttlMs);
    expect(await store.begin(name)).toEqual({ kind: 'finished' });
    expect(await store.expect(handed(), ttlMs)).toEqual({ kind: 'expected', dataKey: 'k1' });
    expect(await store.begin(name)).toEqual({ kind: 'wanted', tries: 1, dataKey: 'k1' });
  });

  it('begins anew with what failed, once for each replay, and never with what is done', async () => {
    const { store, other } = await open();
    await store.expect(handed(), ttlMs);
    await store.begin(name);
    await store.finish(name, { state: 'failed', value: 'why' }, ttlMs);
    expect(await other.begin(name, '0:3@9')).toEqual({ kind: 'wanted', tries: 1, dataKey: 'k1' });
    expect(await store.begin(name, '0:3@9')).toEqual({ kind: 'wanted', tries: 2, dataKey: 'k1' });
    expect(await store.read('s')).toMatchObject({ utterances: [{ utteranceId: 1, eventId: 7, state: 'pending' }] });
    await store.finish(name, { state: 'failed', value: 'why' }, ttlMs);
    expect(await store.begin(name, '0:3@9')).toEqual({ kind: 'finished' });
    expect(await store.begin(name, '0:4@9')).toEqual({ kind: 'wanted', tries: 1, dataKey: 'k1' });
    await store.finish(name, { state: 'done', value: '{}' }, ttlMs);
    expect(await store.begin(name, '0:5@9')).toEqual({ kind: 'finished' });
  });

  it('remembers of what has run out only that it was there, and whose', async () => {
    const { store, pass } = await open();
    await store.expect(handed({ owner: undefined }), 80);
    await pass(120);
    expect(await store.read('s')).toEqual({ kind: 'gone', why: 'expired', tokenHash: 't', owner: undefined });
    expect(await store.begin(name)).toEqual({ kind: 'gone' });
    expect(await store.finish(name, { state: 'done', value: '{}' }, ttlMs)).toBe('gone');
    expect(await store.expect(handed({ dataKey: 'k2' }), ttlMs)).toEqual({ kind: 'expected', dataKey: 'k2' });
  });

  it('shreds the key of an erased session, and never has another for it', async () => {
    const { store, other } = await open();
    await store.expect(handed(), ttlMs);
    await other.erase('s', ttlMs);
    expect(await store.begin(name)).toEqual({ kind: 'gone' });
    expect(await store.finish(name, { state: 'done', value: '{}' }, ttlMs)).toBe('gone');
    expect(await store.read('s')).toEqual({ kind: 'gone', why: 'erased', tokenHash: 't', owner: 'o' });
    expect(await store.expect(handed(), ttlMs)).toEqual({ kind: 'erased' });
  });

  it('knows nothing of a session that had nothing', async () => {
    const { store } = await open();
    expect(await store.read('s')).toEqual({ kind: 'unknown' });
    expect(await store.begin(name)).toEqual({ kind: 'gone' });
  });
});

it.skipIf(redisLack !== undefined)('knows of a session that may go on who may ask, until it is erased', async () => {
  const { place } = await startRedis();
  const [results, sessions] = [
    new RedisResultStore({ place, answerMs }),
    new RedisSessionStore(new RedisLink({ place, answerMs })),
  ];
  onTestFinished(async () => void (await Promise.all([results.close(), sessions.close()])));
  await expect.poll(() => results.isUp && sessions.isUp).toBe(true);
  const saved = { sessionId: 's', generation: 1, ordinal: 1, tokenHash: 't', owner: 'o' };
  await sessions.save({ ...saved, model: 'm', gateway: 'g', value: 'v' }, ttlMs);
  expect(await results.read('s')).toEqual({ kind: 'open', tokenHash: 't', owner: 'o' });
  await results.erase('s', ttlMs);
  expect(await results.read('s')).toEqual({ kind: 'gone', why: 'erased', tokenHash: 't', owner: 'o' });
});

const ttlMs = 60_000;
/** A busy machine takes its time, and that is not what is tried here. */
const answerMs = 5000;
const name = { sessionId: 's', utteranceId: 1 };

function handed(changes: Partial<ExpectedResult> = {}): ExpectedResult {
  return { ...name, tokenHash: 't', owner: 'o', dataKey: 'k1', eventId: 7, ...changes };
}

describe('a store in memory that has bounds', () => {
  const bounded = (bounds: { maxBytes?: number; maxSessions?: number }) => {
    const dropped: [string, number, string][] = [];
    const onDropped = (...one: [string, number, string]): void => void dropped.push(one);
    const most = { maxBytes: 1e6, maxSessions: 1000, ...bounds, onDropped };
    const clock = { nowMs: 1000 };
    return { store: new MemoryResultStore(() => clock.nowMs, most), dropped, clock };
  };
  const write = async (store: ResultStore, sessionId: string, value: string): Promise<void> => {
    await store.expect(handed({ sessionId }), ttlMs);
    await store.finish({ sessionId, utteranceId: 1 }, { state: 'done', value }, ttlMs);
  };

  it('drops the session that was written longest ago, says so, and counts it', async () => {
    const { store, dropped } = bounded({ maxSessions: 2 });
    for (const id of ['a', 'b', 'c']) await store.expect(handed({ sessionId: id }), ttlMs);
    await store.finish({ sessionId: 'b', utteranceId: 1 }, { state: 'done', value: '{}' }, ttlMs);
    await store.expect(handed({ sessionId: 'd' }), ttlMs);
    expect(dropped).toEqual([
      ['a', 1, 'sessions'],
      ['c', 1, 'sessions'],
    ]);
    expect(store.numbers).toMatchObject({ sessions: 2, dropped: 2 });
    expect(await store.read('a')).toEqual({ kind: 'unknown' });
    expect(await store.begin({ sessionId: 'c', utteranceId: 1 })).toEqual({ kind: 'gone' });
    expect(await store.read('b')).toMatchObject({ kind: 'found' });
  });

  it('keeps no more bytes than it may, and counts what comes free', async () => {
    const { store, dropped, clock } = bounded({ maxBytes: 50_000 });
    for (const id of ['a', 'b', 'c']) await write(store, id, 'x'.repeat(10_000));
    expect(dropped).toEqual([['a', 1, 'bytes']]);
    expect(store.numbers.bytes).toBeLessThanOrEqual(50_000);
    await store.erase('b', ttlMs);
    await store.erase('c', ttlMs);
    expect(store.numbers).toEqual({ sessions: 0, bytes: 0, dropped: 1 });
    await write(store, 'd', 'x'.repeat(10_000));
    clock.nowMs += ttlMs + 1;
    await store.expect(handed({ sessionId: 'e' }), ttlMs);
    expect(store.numbers.bytes).toBeLessThan(2000);
    expect(await store.read('d')).toMatchObject({ kind: 'gone', why: 'expired' });
  });

  it('keeps the one result that is larger than all that it may keep', async () => {
    const { store, dropped } = bounded({ maxBytes: 100 });
    await write(store, 'a', 'x'.repeat(10_000));
    expect(dropped).toEqual([]);
    expect(await store.read('a')).toMatchObject({ kind: 'found' });
  });

  it('remembers what was erased, of as many sessions as it keeps', async () => {
    const { store } = bounded({ maxSessions: 2 });
    for (const id of ['a', 'b', 'c']) await store.erase(id, ttlMs);
    expect(await store.expect(handed({ sessionId: 'c' }), ttlMs)).toEqual({ kind: 'erased' });
    expect(await store.read('a')).toEqual({ kind: 'unknown' });
  });
});
