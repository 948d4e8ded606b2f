import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MemorySessionStore } from '../../src/stores/memory-store.ts';
import { RedisLink } from '../../src/stores/redis/redis-link.ts';
import { RedisSessionStore } from '../../src/stores/redis/redis-session-store.ts';
import type { SavedSession, SessionClaim, SessionStore } from '../../src/stores/session-store.ts';
import { startRedis } from '../kit/redis.ts';
import { redisLack } from '../kit/redis-lack.ts';

it('a Redis to try is there on CI', () => {
  if (process.env.CI) expect(redisLack).toBeUndefined();
});

/** Stores that two gateways share, and how time passes in them. */
const kinds: readonly [
  string,
  () => Promise<{ store: SessionStore; other: SessionStore; pass(ms: number): unknown }>,
][] = [
  [
    'memory',
    async () => {
      let nowMs = 1000;
      const store = new MemorySessionStore(() => nowMs);
      return { store, other: store, pass: (ms) => (nowMs += ms) };
    },
  ],
  [
    'Redis',
    async () => {
      const { place } = await startRedis();
      const [store, other] = [
        new RedisSessionStore(new RedisLink({ place, answerMs })),
        new RedisSessionStore(new RedisLink({ place, answerMs })),
      ];
      onTestFinished(async () => void (await Promise.all([store.close(), other.close()])));
      await expect.poll(() => store.isUp && other.isUp).toBe(true);
      return { store, other, pass: wait };
    },
  ],
];

describe.each(redisLack ? kinds.slice(0, 1) : kinds)('a store of sessions (%s)', (_, open) => {
  it('gives a saved session to who shows its token, and how old it is', async () => {
    const { store, other, pass } = await open();
    expect(await store.save(saved({ value: 'a' }), ttlMs)).toBe('saved');
    await pass(60);
    const claimed = await other.claim(claim({ gateway: 'two' }), ttlMs);
    expect(claimed).toMatchObject({ kind: 'claimed', generation: 2, value: 'a', from: 'one' });
    expect(claimed.kind === 'claimed' && claimed.ageMs).toBeGreaterThanOrEqual(55);
  });

  it.each([
    ['an id that nobody saved', { sessionId: 'other' }, { kind: 'unknown' }],
    ['a wrong token', { tokenHash: 'x' }, { kind: 'wrong_token' }],
    ['another owner', { owner: 'eve' }, { kind: 'forbidden' }],
    ['no owner where there is one', { owner: undefined }, { kind: 'forbidden' }],
    ['another model', { model: 'm 2' }, { kind: 'other_model', model: 'm 1' }],
  ])('refuses %s, and changes nothing', async (_, wrong, refusal) => {
    const { store } = await open();
    await store.save(saved({}), ttlMs);
    expect(await store.claim(claim(wrong), ttlMs)).toEqual(refusal);
    expect(await store.save(saved({ ordinal: 2 }), ttlMs)).toBe('saved');
  });

  it('takes nothing more of who had a session before it was claimed', async () => {
    const { store, other } = await open();
    await store.save(saved({ ordinal: 5 }), ttlMs);
    await other.claim(claim({ gateway: 'two' }), ttlMs);
    expect(await store.save(saved({ ordinal: 6 }), ttlMs)).toBe('fenced');
    expect(await other.save(saved({ generation: 2, ordinal: 1, gateway: 'two', value: 'b' }), ttlMs)).toBe('saved');
    expect(await store.claim(claim({ gateway: 'three' }), ttlMs)).toMatchObject({ generation: 3, value: 'b' });
  });

  it.each([
    ['an older state', { ordinal: 3 }, 'stale'],
    ['the same state', { ordinal: 4 }, 'stale'],
    ['a newer state', { ordinal: 5 }, 'saved'],
    ['a newer generation', { ordinal: 1, generation: 2 }, 'saved'],
    ['an older generation', { ordinal: 9, generation: 0 }, 'fenced'],
    ['the same generation of another gateway', { ordinal: 9, gateway: 'two' }, 'fenced'],
  ])('keeps the newest: %s is %s', async (_, changes, outcome) => {
    const { store } = await open();
    await store.save(saved({ ordinal: 4 }), ttlMs);
    expect(await store.save(saved(changes), ttlMs)).toBe(outcome);
  });

  it('forgets a session after its time, and when it has ended, but not for who had it before', async () => {
    const { store, pass } = await open();
    await store.save(saved({ sessionId: 'a' }), 40);
    await store.save(saved({ sessionId: 'b' }), ttlMs);
    await store.save(saved({ sessionId: 'c' }), ttlMs);
    await pass(80);
    await store.end('b', 1);
    await store.claim(claim({ sessionId: 'c' }), ttlMs);
    await store.end('c', 1);
    expect((await store.claim(claim({ sessionId: 'a' }), ttlMs)).kind).toBe('unknown');
    expect((await store.claim(claim({ sessionId: 'b' }), ttlMs)).kind).toBe('unknown');
    expect((await store.claim(claim({ sessionId: 'c' }), ttlMs)).kind).toBe('claimed');
  });

  it('lets one of two starts with one key begin', async () => {
    const { store, other, pass } = await open();
    const first = { sessionId: 'a', startHash: 'x' };
    expect(await store.begin('key', first, 500)).toEqual(first);
    expect(await other.begin('key', { sessionId: 'b', startHash: 'y' }, 500)).toEqual(first);
    await pass(600);
    expect((await other.begin('key', { sessionId: 'b', startHash: 'y' }, 40)).sessionId).toBe('b');
  });

  it('gives a new token where the session was claimed by its key', async () => {
    const { store } = await open();
    await store.save(saved({}), ttlMs);
    await store.claim(claim({ tokenHash: undefined, newTokenHash: 'new' }), ttlMs);
    expect((await store.claim(claim({}), ttlMs)).kind).toBe('wrong_token');
    expect((await store.claim(claim({ tokenHash: 'new' }), ttlMs)).kind).toBe('claimed');
  });

  it('knows which gateways are there, until they go or say nothing', async () => {
    const { store, other, pass } = await open();
    const [one, two] = [
      { id: 'one', url: 'ws://one', models: ['m 1', 'm 2'] },
      { id: 'two', url: '', models: ['m 1'] },
    ];
    expect(await store.announce(one, ttlMs)).toEqual([]);
    expect(await other.announce(two, 500)).toEqual([one]);
    expect(await store.announce(one, ttlMs)).toEqual([two]);
    await pass(600);
    expect(await store.announce(one, ttlMs)).toEqual([]);
    await store.announce(one, 0);
    expect(await other.announce(two, ttlMs)).toEqual([]);
  });
});

it.skipIf(redisLack !== undefined)('a Redis of two regions shows each its own sessions alone', async () => {
  const { place } = await startRedis();
  const [eu, us, none] = ['eu', 'us', undefined].map((region) => {
    const link = new RedisLink({ place, region, answerMs });
    onTestFinished(() => link.close());
    return new RedisSessionStore(link, region);
  }) as [RedisSessionStore, RedisSessionStore, RedisSessionStore];
  await expect.poll(() => eu.isUp && us.isUp && none.isUp).toBe(true);
  await eu.save(saved({}), ttlMs);
  for (const store of [us, none]) expect((await store.claim(claim({}), ttlMs)).kind).toBe('unknown');
  expect(await eu.announce({ id: 'one', url: '', models: ['m 1'] }, ttlMs)).toEqual([]);
  expect(await us.announce({ id: 'two', url: '', models: ['m 1'] }, ttlMs)).toEqual([]);
  expect((await eu.claim(claim({}), ttlMs)).kind).toBe('claimed');
});

const ttlMs = 10_000;
/** A busy machine takes its time, and that is not what is tried here. */
const answerMs = 5000;

function saved(changes: Partial<SavedSession>): SavedSession {
  const ids = { sessionId: 's', tokenHash: 'hash', owner: 'ann', model: 'm 1', gateway: 'one' };
  return { ...ids, generation: 1, ordinal: 1, value: 'v', ...changes };
}

function claim(changes: Partial<SessionClaim>): SessionClaim {
  return { sessionId: 's', tokenHash: 'hash', owner: 'ann', model: 'm 1', gateway: 'two', ...changes };
}
