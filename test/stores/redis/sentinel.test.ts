import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openStore } from '../../../src/stores/redis/open-store.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { GroupRedis, patience } from '../../kit/redis-group.ts';
import { redisLack } from '../../kit/redis-lack.ts';
import { Learner, told } from '../../kit/server/learner.ts';
import { serve } from '../../kit/server/serve.ts';

const storeWord = 'store-secret';
const sentinelWord = 'sentinel-secret';

describe.skipIf(redisLack !== undefined)('a Redis that sentinels watch', { timeout: 90_000 }, () => {
  let master: GroupRedis;
  let replica: GroupRedis;
  let sentinels: GroupRedis[];

  beforeAll(async () => {
    // The replica comes as a user of its own, so that it alone can be kept from what is new.
    const plain = ['save ""', `masterauth ${replicaWord}`, 'masteruser replica', 'repl-diskless-sync-delay 0'];
    const users = [`user replica on >${replicaWord} ~* &* +@all`];
    master = await GroupRedis.start([...plain, ...users], { password: storeWord });
    replica = await GroupRedis.start([...plain, ...users, `replicaof 127.0.0.1 ${master.port}`], {
      password: storeWord,
    });
    await vi.waitFor(
      async () => expect(await replica.ask('INFO', 'replication')).toMatch(/master_link_status:up/),
      patience,
    );
    const watched = [
      `sentinel monitor mymaster 127.0.0.1 ${master.port} 2`,
      `sentinel auth-pass mymaster ${storeWord}`,
      'sentinel down-after-milliseconds mymaster 2000',
      'sentinel failover-timeout mymaster 5000',
    ];
    const asSentinel = { password: sentinelWord, args: ['--sentinel'] };
    sentinels = await Promise.all([1, 2, 3].map(() => GroupRedis.start(watched, asSentinel)));
    for (const sentinel of sentinels) {
      const sees = async (what: string) => ((await sentinel.ask('SENTINEL', what, 'mymaster')) as unknown[]).length;
      await vi.waitFor(async () => expect([await sees('SENTINELS'), await sees('REPLICAS')]).toEqual([2, 1]), patience);
    }
  }, 90_000);

  it('is found by its name, and the one that takes its place is, too; what it lacks is written again', async () => {
    const hosts = hostsOf(sentinels);
    const unheard = vi.spyOn(console, 'error');
    onTestFinished(() => unheard.mockRestore());
    const url = `redis+sentinel://:${storeWord}@${hosts}/mymaster/3?sentinel_password=${sentinelWord}`;
    const lines: string[] = [];
    const open = () => {
      const store = openStore(url, undefined, createLog('info', { write: (line) => void lines.push(line) }))!;
      onTestFinished(() => store.close());
      return store.parts.store;
    };
    const [store, other] = [open(), open()];
    await expect.poll(() => store.isUp && other.isUp, patience).toBe(true);
    const [one, two, alone] = [await serve({ store }), await serve({ store: other }), await serve()];

    const uncut = new Learner(() => [alone.url]);
    const stays = new Learner(() => [one.url]);
    const moves = new Learner(() => [one.url, two.url]);
    for (const learner of [uncut, stays, moves]) await learner.speak(0, 29);
    const { session_id: id } = moves.of('ready')[0]!;
    const textsAt = async (redis: GroupRedis): Promise<number | undefined> => {
      await redis.ask('SELECT', '3');
      const value = await redis.ask('HGET', `speechfb:{${id}}:session`, 'value');
      return typeof value === 'string' ? JSON.parse(value).utterances.at(-1).id : undefined;
    };
    await expect.poll(() => textsAt(replica), patience).toBe(1);

    // From here on the replica is behind.
    await master.ask('ACL', 'SETUSER', 'replica', 'off');
    await master.ask('CLIENT', 'KILL', 'TYPE', 'replica');
    for (const learner of [uncut, stays, moves]) learner.client.nextUtterance({ text: 'baba abab' });
    for (const learner of [uncut, stays, moves]) await learner.speak(30, 49);
    await expect.poll(() => textsAt(master), patience).toBe(2);
    expect(await textsAt(replica)).toBe(1);

    await master.kill();
    await expect.poll(() => store.isUp || other.isUp, patience).toBe(false);
    for (const learner of [uncut, stays, moves]) await learner.speak(50, 69);
    await expect.poll(() => replica.ask('INFO', 'replication'), patience).toMatch(/role:master/);
    await expect.poll(() => store.isUp && other.isUp, patience).toBe(true);
    await expect.poll(() => textsAt(replica), patience).toBe(2);

    expect(await uncut.finish()).toMatchObject({ outcome: 'closed' });
    expect(await stays.finish()).toMatchObject({ outcome: 'closed' });
    await one.close();
    await moves.speak(70, 79);
    expect(await moves.finish()).toMatchObject({ outcome: 'closed' });
    for (const learner of [stays, moves]) expect(learner.broken).toEqual([]);
    expect(stays.of('ready').map(({ resumed }) => resumed)).toEqual([false]);
    expect(moves.of('ready').map(({ resumed }) => resumed)).toEqual([false, true]);
    expect(told(stays.events)).toEqual(told(uncut.events));

    const said = lines.join('');
    expect(said).toMatch(/the store does not answer/);
    expect(said).toMatch(/the store answers/);
    expect(said).toContain('mymaster');
    expect(said).not.toMatch(/secret/);
    expect(unheard.mock.calls).toEqual([]);
  });

  it.each([
    [
      'of another name',
      (hosts: string) => `redis+sentinel://${hosts}/nobody?sentinel_password=${sentinelWord}`,
      /know no master of this name/,
    ],
    [
      'without the password of its sentinels',
      (hosts: string) => `redis+sentinel://${hosts}/mymaster`,
      /a password is needed/,
    ],
    [
      'with a wrong password for its sentinels',
      (hosts: string) => `redis+sentinel://${hosts}/mymaster?sentinel_password=wrong-secret`,
      /user or password are wrong/,
    ],
    [
      'with a wrong password',
      (hosts: string) => `redis+sentinel://:wrong-secret@${hosts}/mymaster?sentinel_password=${sentinelWord}`,
      /user or password are wrong/,
    ],
    [
      'of sentinels that are Redis',
      () => `redis+sentinel://:x@${replica.address}/mymaster?sentinel_password=${storeWord}`,
      /lacks a command/,
    ],
  ])('%s is away, and the log says why without a secret', async (_, urlOf, reason) => {
    const lines: string[] = [];
    const log = createLog('info', { write: (line) => void lines.push(line) });
    const hosts = hostsOf(sentinels);
    const store = openStore(urlOf(hosts), undefined, log)!;
    onTestFinished(() => store.close());
    await expect.poll(() => lines.join(''), patience).toMatch(reason);
    expect(lines.join('')).not.toMatch(/secret/);
    expect(store.parts.store.isUp).toBe(false);
  });
});

const replicaWord = 'replica-secret';

/** Where they are, and where one is not. */
function hostsOf(sentinels: readonly GroupRedis[]): string {
  return [...sentinels.map(({ address }) => address), '127.0.0.1:1'].join(',');
}
