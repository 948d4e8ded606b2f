import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openStore } from '../../../src/stores/redis/open-store.ts';
import { RedisCapStore } from '../../../src/stores/redis/redis-cap-store.ts';
import { RedisLink, type RedisLinkOptions } from '../../../src/stores/redis/redis-link.ts';
import { RedisResultStore } from '../../../src/stores/redis/redis-result-store.ts';
import { RedisSessionStore } from '../../../src/stores/redis/redis-session-store.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { freePort } from '../../kit/free-port.ts';
import { GroupRedis, patience } from '../../kit/redis-group.ts';
import { redisLack } from '../../kit/redis-lack.ts';
import { Learner, told } from '../../kit/server/learner.ts';
import { serve } from '../../kit/server/serve.ts';

const ranges = [
  [0, 5460],
  [5461, 10_922],
  [10_923, 16_383],
] as const;
const ttlMs = 60_000;

describe.skipIf(redisLack !== undefined)('a cluster of Redis', { timeout: 90_000 }, () => {
  let masters: GroupRedis[];

  beforeAll(async () => {
    const busPorts = await Promise.all(ranges.map(() => freePort()));
    masters = await Promise.all(
      busPorts.map((busPort) =>
        GroupRedis.start([
          'save ""',
          'cluster-enabled yes',
          `cluster-port ${busPort}`,
          // A busy machine is no node that is gone.
          'cluster-node-timeout 10000',
          // The other nodes go on with what they have.
          'cluster-require-full-coverage no',
        ]),
      ),
    );
    for (const [index, master] of masters.entries()) {
      await master.ask('CLUSTER', 'ADDSLOTSRANGE', ...ranges[index]!.map(String));
      await master.ask('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
      await masters[0]!.ask('CLUSTER', 'MEET', '127.0.0.1', String(master.port), String(busPorts[index]));
    }
    for (const master of masters) {
      await vi.waitFor(async () => {
        const info = await master.ask('CLUSTER', 'INFO');
        expect(info).toMatch(/cluster_state:ok.*cluster_slots_ok:16384.*cluster_known_nodes:3/s);
      }, patience);
    }
  }, 90_000);

  const place = () => ({
    nodes: masters.slice(0, 2).map(({ port }) => ({ host: '127.0.0.1', port })),
    database: 0,
    username: undefined,
    password: undefined,
    isSecure: false,
  });
  async function linked(options: Partial<RedisLinkOptions> = {}): Promise<RedisLink> {
    const link = new RedisLink({ place: place(), answerMs: 5000, ...options });
    onTestFinished(() => link.close());
    await expect.poll(() => link.isUp, patience).toBe(true);
    return link;
  }
  const slotOf = async (key: string) => Number(await masters[0]!.ask('CLUSTER', 'KEYSLOT', key));
  const ownerOf = (slot: number) => masters[ranges.findIndex(([first, last]) => first <= slot && slot <= last)]!;

  it('keeps the sessions of all its nodes, and every step has its keys at one of them', async () => {
    const link = await linked();
    const [store, other] = [new RedisSessionStore(link), new RedisSessionStore(await linked())];
    const owners = new Set<GroupRedis>();
    for (let index = 0; index < 20; index += 1) {
      const sessionId = `s${index}`;
      owners.add(ownerOf(await slotOf(`speechfb:{${sessionId}}:session`)));
      expect(await store.save(saved({ sessionId }), ttlMs)).toBe('saved');
      expect(await other.claim(claim({ sessionId }), ttlMs)).toMatchObject({ kind: 'claimed', value: 'v' });
      await other.end(sessionId, 2);
    }
    expect(owners.size).toBe(3);
    expect(await store.begin('key', { sessionId: 'a', startHash: 'h' }, ttlMs)).toEqual({
      sessionId: 'a',
      startHash: 'h',
    });
    await store.announce({ id: 'one', url: '', models: ['m'] }, ttlMs);
    expect(await other.announce({ id: 'two', url: '', models: ['m'] }, ttlMs)).toMatchObject([{ id: 'one' }]);

    const caps = new RedisCapStore(link);
    const party = { maxSessions: 1, starts: { most: 9, withinMs: 1000 }, maxSoundMs: 1000 };
    const parties = [undefined, 'user'].map((user) => ({ user, ...party }));
    const [tenant, holder] = ['school', 'one'];
    expect(await caps.start({ tenant, holder, parties }, ttlMs)).toEqual({ kind: 'granted' });
    expect(await caps.start({ tenant, holder, parties }, ttlMs)).toMatchObject({ kind: 'sessions', count: 1 });
    await caps.hold({ tenant, holder, counts: parties.map(({ user }) => ({ user, sessions: 0 })) }, ttlMs);
    const sounds = parties.map(({ user }) => ({ user, field: 'one', day: 0, ms: 7 }));
    expect(await caps.hear({ tenant, sounds })).toMatchObject({ totalsMs: [7, 7] });

    const results = new RedisResultStore({ place: place(), answerMs: 5000 });
    onTestFinished(() => results.close());
    await expect.poll(() => results.isUp, patience).toBe(true);
    const of = { sessionId: 'late', utteranceId: 1 };
    const expected = { ...of, tokenHash: 'h', owner: undefined, dataKey: 'k', eventId: 1 };
    expect(await results.expect(expected, ttlMs)).toEqual({ kind: 'expected', dataKey: 'k' });
    expect(await results.begin(of)).toMatchObject({ kind: 'wanted', tries: 1 });
    expect(await results.finish(of, { state: 'done', value: '{}' }, ttlMs)).toBe('written');
    expect(await results.read('late')).toMatchObject({ kind: 'found' });
    await results.erase('late', ttlMs);
    expect(await results.read('late')).toMatchObject({ kind: 'gone', why: 'erased' });
  });

  it('is followed while a slot is on its way to another node, and when it has come there', async () => {
    const store = new RedisSessionStore(await linked());
    const sessionId = 'wanders';
    const key = `speechfb:{${sessionId}}:session`;
    const slot = await slotOf(key);
    const from = ownerOf(slot);
    const to = masters.find((master) => master !== from)!;
    const [fromId, toId] = [String(await from.ask('CLUSTER', 'MYID')), String(await to.ask('CLUSTER', 'MYID'))];
    expect(await store.save(saved({ sessionId }), ttlMs)).toBe('saved');
    await to.ask('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', fromId);
    await from.ask('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', toId);
    await from.ask('MIGRATE', '127.0.0.1', String(to.port), key, '0', '5000');
    expect(await store.save(saved({ sessionId, ordinal: 2 }), ttlMs)).toBe('saved');
    for (const master of [to, from]) await master.ask('CLUSTER', 'SETSLOT', String(slot), 'NODE', toId);
    expect(await store.save(saved({ sessionId, ordinal: 3 }), ttlMs)).toBe('saved');
    expect(await store.claim(claim({ sessionId }), ttlMs)).toMatchObject({ kind: 'claimed', generation: 2 });
    expect(store.isWhole).toBe(true);
  });

  it.each([0, 1, 2])('of which node %i is emptied has what is kept written again', async (emptied) => {
    // What stores of other tests left there says nothing of whether this one knows it.
    await Promise.all(masters.map((master) => master.ask('FLUSHALL')));
    const link = await linked();
    const store = new RedisSessionStore(link);
    let ups = 0;
    store.onUp(() => {
      ups += 1;
    });
    const self = { id: 'one', url: '', models: ['m'] };
    const sayAgain = async () => {
      await store.announce(self, ttlMs);
      return ups;
    };
    const areAllKnown = async () => {
      await sayAgain();
      const kept = await Promise.all(masters.map((master) => master.ask('KEYS', '*since*')));
      return kept.every((keys) => (keys as unknown[]).length > 0);
    };
    await expect.poll(areAllKnown, patience).toBe(true);
    for (let tries = 0; tries < 3; tries += 1) expect(await sayAgain()).toBe(1);
    await masters[emptied]!.ask('FLUSHALL');
    await expect.poll(sayAgain, patience).toBe(2);
    for (let tries = 0; tries < 3; tries += 1) expect(await sayAgain()).toBe(2);
  });

  it('that lacks a node keeps what the others have; what it had is written again when it is back', async () => {
    const lines: string[] = [];
    const url = `redis+cluster://${masters.map(({ address }) => address).join(',')}`;
    const open = () => {
      const store = openStore(url, undefined, createLog('info', { write: (line) => void lines.push(line) }))!;
      onTestFinished(() => store.close());
      return store.parts.store;
    };
    const [store, other] = [open(), open()];
    await expect.poll(() => store.isWhole && other.isWhole, patience).toBe(true);
    const [one, two, alone] = [await serve({ store }), await serve({ store: other }), await serve()];
    const uncut = new Learner(() => [alone.url]);
    await uncut.speak(0, 29);
    // Learners until two of them have their checkpoints at different nodes.
    const byOwner = new Map<GroupRedis, Learner>();
    while (byOwner.size < 2) {
      const learner = new Learner(() => [one.url, two.url]);
      await learner.speak(0, 29);
      const key = `speechfb:{${learner.of('ready')[0]!.session_id}}:session`;
      const owner = ownerOf(await slotOf(key));
      await expect.poll(() => owner.ask('EXISTS', key), patience).toBe(1);
      if (byOwner.has(owner)) await learner.client.abort('one of them is enough');
      else byOwner.set(owner, learner);
    }
    const [[lost, there], [kept, elsewhere]] = [...byOwner] as [[GroupRedis, Learner], [GroupRedis, Learner]];

    await lost.kill();
    for (const learner of [uncut, there, elsewhere]) learner.client.nextUtterance({ text: 'baba abab' });
    for (const learner of [uncut, there, elsewhere]) await learner.speak(30, 59);
    const [thereId, elsewhereId] = [there, elsewhere].map((learner) => learner.of('ready')[0]!.session_id);
    await expect.poll(() => store.reaches(thereId!), patience).toBe(false);
    await expect
      .poll(() => [store.isUp, store.isWhole, store.reaches(elsewhereId!)], patience)
      .toEqual([true, false, true]);
    const texts = async (redis: GroupRedis, id: string) => {
      const value = await redis.ask('HGET', `speechfb:{${id}}:session`, 'value').catch(() => null);
      return typeof value === 'string' ? JSON.parse(value).utterances.at(-1).id : undefined;
    };
    await expect.poll(() => texts(kept, elsewhereId!), patience).toBe(2);

    await lost.start();
    await expect.poll(() => store.isWhole, patience).toBe(true);
    await expect.poll(() => texts(lost, thereId!), patience).toBe(2);
    await expect.poll(() => other.reaches(thereId!) && other.reaches(elsewhereId!), patience).toBe(true);
    await one.close();
    for (const learner of [uncut, there, elsewhere]) {
      await learner.speak(60, 79);
      expect(await learner.finish()).toMatchObject({ outcome: 'closed' });
      expect(learner.broken).toEqual([]);
      expect(told(learner.events)).toEqual(told(uncut.events));
    }
    expect(lines.join('')).toMatch(/a node of the store does not answer/);
    expect(lines.join('')).toMatch(/a node of the store answers/);
  });

  it('that has given up for lack of a node refuses everything, and the log says so', async () => {
    const reasons: (string | undefined)[] = [];
    const link = await linked({ onDown: ({ reason }) => reasons.push(reason) });
    const store = new RedisSessionStore(link);
    const [lost, ...left] = masters as [GroupRedis, GroupRedis, GroupRedis];
    const set = async (...what: string[]) => {
      for (const master of left) await master.ask('CONFIG', 'SET', ...what);
    };
    await set('cluster-require-full-coverage', 'yes');
    await set('cluster-node-timeout', '1000');
    await lost.kill();
    const tryAll = () => Promise.allSettled(ids.map((sessionId) => store.save(saved({ sessionId }), ttlMs)));
    const ids = Array.from({ length: 20 }, (_, index) => `g${index}`);
    const isUpYet = async () => {
      await tryAll();
      return store.isUp;
    };
    await expect.poll(isUpYet, patience).toBe(false);
    await expect.poll(() => reasons, patience).toContain('slots of the cluster have no master');
    await lost.start();
    const areAllSaved = async () => (await tryAll()).every(({ status }) => status === 'fulfilled');
    await expect.poll(areAllSaved, patience).toBe(true);
    expect(store.isWhole).toBe(true);
  });
});

function saved(changes: { sessionId: string; ordinal?: number }) {
  const ids = { tokenHash: 'hash', owner: undefined, model: 'm 1', gateway: 'one' };
  return { ...ids, generation: 1, ordinal: 1, value: 'v', ...changes };
}

function claim(changes: { sessionId: string }) {
  return { tokenHash: 'hash', owner: undefined, model: 'm 1', gateway: 'two', ...changes };
}
