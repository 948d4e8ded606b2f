import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { EmbeddedStore } from '../../../src/load/service/embedded-store.ts';
import { checkRedis } from '../../../src/load/service/redis-process.ts';
import { workerUrl } from '../../../src/threads/worker-url.ts';
import { childrenOf, isAlive, stateOf } from '../../kit/processes.ts';
import { redisLack } from '../../kit/redis-lack.ts';

const soon = { timeout: 30_000, interval: 20 };

it('a Redis to try is there on CI', () => {
  if (process.env.CI) expect(redisLack).toBeUndefined();
});

it.each([
  ['nothing', ''],
  ['folders without one', '/proc/self:/no/such/folder'],
])('a PATH of %s has no redis-server, which is one error', (_, path) => {
  expect(() => checkRedis(path)).toThrow('target.embedded.store is redis, but no redis-server is on PATH');
});

describe.skipIf(redisLack !== undefined)('the Redis of a service', () => {
  const plain = { isRelayed: false, hasReplica: false };

  it('that is killed comes back where it was, empty', async () => {
    const store = await started(plain);
    expect(await ask(store, 'SET a 1')).toBe('+OK');
    expect(store.signal('SIGKILL')).toBeUndefined();
    await vi.waitFor(async () => await expect(ask(store, 'PING')).rejects.toThrow('ECONNREFUSED'), soon);
    store.startAgain();
    await vi.waitFor(async () => expect(await ask(store, 'GET a')).toBe('$-1'), soon);
  });

  it('that is stopped says nothing until it goes on', async () => {
    const store = await started(plain);
    store.signal('SIGSTOP');
    const answer = ask(store, 'PING');
    expect(await Promise.race([answer, nothingFor(100)])).toBe('nothing');
    store.signal('SIGCONT');
    expect(await answer).toBe('+PONG');
  });

  it('answers late while it is slow, in order', async () => {
    const store = await started({ isRelayed: true, hasReplica: false });
    expect(store.delayAnswers(300)).toBeUndefined();
    const fromMs = performance.now();
    expect(await ask(store, 'SET a 1\r\nGET a', 3)).toBe('1');
    expect(performance.now() - fromMs).toBeGreaterThan(299);
  });

  it('that fails over is the replica, with what it had heard before it was cut off', async () => {
    const store = await started({ isRelayed: true, hasReplica: true });
    expect(await ask(store, 'SET early 1\r\nWAIT 1 5000', 2)).toBe(':1');
    expect(await store.cutReplica()).toBeUndefined();
    await ask(store, 'SET late 1');
    store.failOver();
    await vi.waitFor(async () => expect(await ask(store, 'GET early')).toBe('$1'), soon);
    expect(await ask(store, 'GET late')).toBe('$-1');
    expect(await ask(store, 'SET next 1')).toBe('+OK');
  });

  it('does what it was not made for never, and says so', async () => {
    const store = await started(plain);
    expect(store.delayAnswers(5)).toBe('the store has no port where its answers could be late');
    expect(await store.cutReplica()).toBe('the store has no replica');
    await store.stop();
    expect(store.signal('SIGKILL')).toBe('the store is gone');
  });

  it.each(['SIGSTOP', 'SIGCONT'] as const)('after %s is gone with the load test that is killed', async (signal) => {
    const module = workerUrl(
      new URL('../../../src/load/service/redis-process.ts', import.meta.url).href,
      'redis-process.js',
    );
    const start = `import('${module}').then(({ RedisProcess }) => RedisProcess.start()).then((redis) => {
      redis.signal('${signal}'); console.log(redis.port); });`;
    const parent = spawn(process.execPath, ['-e', start], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(parent.stdout!, 'data');
    const processes = childrenOf(parent.pid!);
    onTestFinished(() => {
      for (const pid of processes) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    });
    const state = signal === 'SIGSTOP' ? 'T' : 'S';
    await vi.waitFor(() => expect(processes.map(stateOf)).toContain(state), soon);
    parent.kill('SIGKILL');
    await vi.waitFor(() => expect(processes.filter(isAlive)).toEqual([]), soon);
  });
});

async function started(options: Parameters<typeof EmbeddedStore.start>[0]): Promise<EmbeddedStore> {
  const store = await EmbeddedStore.start(options);
  onTestFinished(() => store.stop());
  return store;
}

/** The line of this number that it answers. */
function ask(store: EmbeddedStore, command: string, line = 1): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(store.url).port), '127.0.0.1', () => socket.write(`${command}\r\n`));
    let said = '';
    socket.on('data', (bytes) => {
      said += bytes;
      const lines = said.split('\r\n');
      if (lines.length <= line) return;
      socket.destroy();
      resolve(lines[line - 1]!);
    });
    socket.once('error', reject).once('close', () => reject(new Error('closed')));
  });
}

function nothingFor(ms: number): Promise<string> {
  return new Promise((resolve) => {
    setTimeout(() => resolve('nothing'), ms);
  });
}
