import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RedisLink } from '../../src/stores/redis/redis-link.ts';
import { RedisSessionStore } from '../../src/stores/redis/redis-session-store.ts';
import type { SavedSession, StoreTrouble } from '../../src/stores/session-store.ts';
import { startRedis, type TestRedis } from '../kit/redis.ts';
import { redisLack } from '../kit/redis-lack.ts';

describe.skipIf(redisLack !== undefined)('a Redis', () => {
  it('that stands still fails each call in time, the later ones at once, and is heard when it goes on', async () => {
    const redis = await startRedis();
    const { store, troubles } = await open(redis);
    await store.save(saved(1), ttlMs);
    redis.signal('SIGSTOP');
    await expect(store.save(saved(2), ttlMs)).rejects.toMatchObject({ why: 'timeout' });
    // Whoever waited would be given up after a time, like the first.
    await expect(store.claim(claim, ttlMs)).rejects.toMatchObject({ why: 'unreachable' });
    expect(troubles).toEqual(['timeout']);
    redis.signal('SIGCONT');
    await expect.poll(() => store.isUp).toBe(true);
    expect(await store.save(saved(3), ttlMs)).toBe('saved');
  });

  it('that goes on does not do what was given up long ago', async () => {
    const redis = await startRedis();
    const { store } = await open(redis);
    await store.save(saved(1), ttlMs);
    redis.signal('SIGSTOP');
    await expect(store.claim(claim, ttlMs)).rejects.toMatchObject({ why: 'timeout' });
    await wait(100);
    redis.signal('SIGCONT');
    await expect.poll(() => store.isUp).toBe(true);
    // Had it been claimed, its gateway would be fenced.
    expect(await store.save(saved(2), ttlMs)).toBe('saved');
  });

  it('that is killed and comes back empty is written to again', async () => {
    const redis = await startRedis();
    const { store, ups } = await open(redis);
    await redis.kill();
    await expect.poll(() => store.isUp).toBe(false);
    await expect(store.save(saved(1), ttlMs)).rejects.toMatchObject({ why: 'unreachable' });
    await redis.start();
    await expect.poll(() => store.isUp).toBe(true);
    expect(ups()).toBe(2);
    expect((await store.claim(claim, ttlMs)).kind).toBe('unknown');
    expect(await store.save(saved(2), ttlMs)).toBe('saved');
  });

  it('that is not there yet is found when it is', async () => {
    const redis = await startRedis();
    await redis.kill();
    const store = new RedisSessionStore(new RedisLink({ place: redis.place }));
    onTestFinished(() => store.close());
    await wait(100);
    expect(store.isUp).toBe(false);
    await redis.start();
    await expect.poll(() => store.isUp).toBe(true);
  });

  it('that needs two seconds for each answer is away', async () => {
    const redis = await startRedis();
    const slow = await slowed(redis.place.port, 2000);
    const { store, troubles } = await open({ ...redis, place: { ...redis.place, port: slow.port } });
    slow.slowDown();
    await expect(store.save(saved(1), ttlMs)).rejects.toMatchObject({ why: 'timeout' });
    expect(troubles).toEqual(['timeout']);
    expect(store.isUp).toBe(false);
  });

  it('that has become a replica takes no writes, and is away until it does', async () => {
    const [redis, primary] = [await startRedis(), await startRedis()];
    const { store } = await open(redis);
    const admin = new Commands(redis.place.port);
    await admin.say(`REPLICAOF 127.0.0.1 ${primary.place.port}`);
    await expect(store.save(saved(1), ttlMs)).rejects.toMatchObject({ why: 'refused' });
    expect(store.isUp).toBe(false);
    await admin.say('REPLICAOF NO ONE');
    await expect.poll(() => store.isUp).toBe(true);
    expect(await store.save(saved(2), ttlMs)).toBe('saved');
    admin.close();
  });

  it('that wants a password which is wrong is away, and no word of it is in the error', async () => {
    const redis = await startRedis(['--requirepass', 'right-secret']);
    const store = new RedisSessionStore(new RedisLink({ place: { ...redis.place, password: 'wrong-secret' } }));
    onTestFinished(() => store.close());
    await wait(200);
    const error = await store.save(saved(1), ttlMs).catch((failure: unknown) => failure);
    expect(error).toMatchObject({ name: 'StoreError' });
    expect(JSON.stringify([error, String(error)])).not.toMatch(/secret/);
  });
});

const ttlMs = 10_000;
const claim = { sessionId: 's', tokenHash: 'hash', owner: undefined, model: 'm 1', gateway: 'two' };

function saved(ordinal: number): SavedSession {
  const ids = { sessionId: 's', tokenHash: 'hash', owner: undefined, model: 'm 1', gateway: 'one' };
  return { ...ids, generation: 1, ordinal, value: 'v' };
}

async function open({ place }: Pick<TestRedis, 'place'>, answerMs = 1000) {
  const troubles: StoreTrouble[] = [];
  const store = new RedisSessionStore(new RedisLink({ place, answerMs, onDown: (why) => troubles.push(why) }));
  onTestFinished(() => store.close());
  let ups = 0;
  store.onUp(() => (ups += 1));
  await expect.poll(() => store.isUp).toBe(true);
  return { store, troubles, ups: () => ups };
}

/** A connection through which answers can be made late. */
async function slowed(port: number, ms: number): Promise<{ port: number; slowDown(): void }> {
  let lateMs = 0;
  const sockets: Socket[] = [];
  const server: Server = createServer((client) => {
    const upstream = dial(port, '127.0.0.1');
    sockets.push(client, upstream);
    client.pipe(upstream);
    upstream.on('data', (data) =>
      lateMs === 0 ? client.write(data) : setTimeout(() => client.write(data), lateMs).unref(),
    );
    for (const socket of [client, upstream]) socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const slowDown = (): void => {
    lateMs = ms;
  };
  return { port: (server.address() as { port: number }).port, slowDown };
}

/** Says commands to a Redis as a person would. */
class Commands {
  readonly #socket: Socket;

  constructor(port: number) {
    this.#socket = dial(port, '127.0.0.1');
  }

  async say(command: string): Promise<string> {
    this.#socket.write(`${command}\r\n`);
    return await new Promise((resolve) => this.#socket.once('data', (data) => resolve(String(data))));
  }

  close(): void {
    this.#socket.destroy();
  }
}
