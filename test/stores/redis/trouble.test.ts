import { writeFileSync } from 'node:fs';
import { createServer as createHttp, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { newAuthority } from '../../../src/load/service/authority.ts';
import { openStore } from '../../../src/stores/redis/open-store.ts';
import type { LiveGateway } from '../../../src/stores/session-store.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { freePort } from '../../kit/free-port.ts';
import { GroupRedis, patience } from '../../kit/redis-group.ts';
import { redisLack } from '../../kit/redis-lack.ts';
import { temporaryDirectory } from '../../kit/temporary-directory.ts';

const word = 'right-secret';
const ttlMs = 60_000;

describe.skipIf(redisLack !== undefined)('a Redis', { timeout: 60_000 }, () => {
  let redis: GroupRedis;
  let tlsPort: number;

  beforeAll(async () => {
    tlsPort = await freePort();
    const users = [
      `user speechfb on >${word} ~speechfb:* +@read +@write +@scripting +@connection +info +time`,
      `user mute on >${word} ~speechfb:* +@all -@scripting`,
      `user elsewhere on >${word} ~other:* +@all`,
    ];
    redis = await GroupRedis.start(['save ""', 'databases 4', ...tlsLines(tlsPort), ...users], { password: word });
  }, 60_000);

  it('lets a user work who may do what docs/production.md says', async () => {
    const { store, said } = open(`redis://speechfb:${word}@${redis.address}/1`);
    await expect.poll(() => store.isUp, patience).toBe(true);
    expect(await store.save(saved(1), ttlMs)).toBe('saved');
    expect(await store.announce({ id: 'one', url: '', models: ['m'] }, ttlMs)).toEqual([]);
    expect(said()).not.toMatch(/refuses/);
  });

  describe('that cannot be used', () => {
    const servers: (Server | HttpServer)[] = [];
    const sockets = new Set<Socket>();
    const stores = new Map<string, ReturnType<typeof opened>>();
    const at: Record<string, string> = {};
    let loading: { store: ReturnType<typeof opened>; isStarted: Promise<void> };

    beforeAll(async () => {
      at.web = await listening(createHttp((_, response) => response.end('hello')));
      at.silent = await listening(createServer((socket) => socket.resume()));
      at.closing = await listening(createServer((socket) => socket.destroy()));
      at.shut = await listening(createServer((socket) => socket.end('-DENIED Redis is running in protected mode\r\n')));
      at.full = (await GroupRedis.start(['save ""', 'maxclients 1'])).address;
      at.old = (await GroupRedis.start(['save ""', 'rename-command EVAL ""'])).address;
      const slow = await GroupRedis.start(['key-load-delay 20000', 'loading-process-events-interval-bytes 1024']);
      await slow.ask('EVAL', "for at = 1, 240 do redis.call('SET', 'key' .. at, string.rep('x', 100)) end", '0');
      await slow.ask('SAVE');
      await slow.kill();
      loading = { store: opened(`redis://${slow.address}`), isStarted: slow.start() };
      // Some wait for the whole patience of a connection: they do so all at once.
      for (const [what, urlOf] of troubles) stores.set(what, opened(urlOf()));
    }, 60_000);

    afterAll(async () => {
      for (const { close } of [...stores.values(), loading.store]) await close();
      for (const socket of sockets) socket.destroy();
      for (const server of servers) server.close();
    });

    async function listening(server: Server | HttpServer): Promise<string> {
      servers.push(server);
      server.on('connection', (socket: Socket) => {
        sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return `127.0.0.1:${(server.address() as AddressInfo).port}`;
    }

    const troubles: [what: string, url: () => string, reason: RegExp][] = [
      ['that is told a wrong password', () => `redis://:wrong-secret@${redis.address}`, /user or password are wrong/],
      ['that does not know the user', () => `redis://nobody:${word}@${redis.address}`, /user or password are wrong/],
      ['that is told no password', () => `redis://${redis.address}`, /a password is needed/],
      ['whose user may run no script', () => `redis://mute:${word}@${redis.address}`, /may not do what is needed/],
      [
        'whose user may not have our keys',
        () => `redis://elsewhere:${word}@${redis.address}`,
        /may not do what is needed/,
      ],
      ['that has no such database', () => `redis://:${word}@${redis.address}/9`, /no database of this number/],
      ['that is no cluster', () => `redis+cluster://:${word}@${redis.address}`, /it is no cluster: write redis:/],
      ['without TLS, asked for it', () => `rediss://:${word}@${redis.address}`, /it does not speak TLS: write redis:/],
      [
        'that speaks TLS, asked for none',
        () => `redis://:${word}@127.0.0.1:${tlsPort}`,
        /it speaks TLS: write rediss:/,
      ],
      ['whose certificate nobody knows', () => `rediss://:${word}@127.0.0.1:${tlsPort}`, /not one to trust here/],
      [
        'whose sentinels would speak TLS',
        () => `redis+sentinel://:${word}@127.0.0.1:${tlsPort}/main`,
        /its sentinels speak TLS: sentinel_tls=yes/,
      ],
      [
        'whose sentinels do not speak TLS',
        () => `rediss+sentinel://:${word}@${redis.address}/main`,
        /its sentinels do not speak TLS: sentinel_tls=no/,
      ],
      ['whose nodes speak TLS', () => `redis+cluster://:${word}@127.0.0.1:${tlsPort}`, /it speaks TLS: write rediss:/],
      ['whose nodes do not', () => `rediss+cluster://:${word}@${redis.address}`, /it does not speak TLS: write redis:/],
      ['that is a web server', () => `redis://:${word}@${at.web}`, /what answers there is no Redis/],
      ['that is a web server, by TLS', () => `rediss://:${word}@${at.web}`, /what answers there is no Redis/],
      ['that says nothing', () => `redis://:${word}@${at.silent}`, /the store does not answer: /],
      ['that says nothing, by TLS', () => `rediss://:${word}@${at.silent}`, /takes connections there says nothing/],
      ['that ends what it takes', () => `redis://:${word}@${at.closing}`, /takes connections there ends them/],
      ['in protected mode', () => `redis://${at.shut}`, /it is in protected mode/],
      ['with as many clients as it takes', () => `redis://${at.full}`, /maxclients/],
      ['that lacks a command', () => `redis://${at.old}`, /it lacks a command/],
      ['that is not there', () => `redis://:${word}@127.0.0.1:1`, /nothing listens there/],
      ['that nobody knows', () => `redis://:${word}@nowhere.invalid`, /nobody knows its name/],
    ];

    it.each(troubles)('%s is away, and the log says why, without a secret', async (what, _, reason) => {
      const { store, said } = stores.get(what)!;
      await expect.poll(said, patience).toMatch(reason);
      expect(said()).not.toMatch(/secret/);
      // Once that it is away, and once why, where an answer was late at first.
      expect(said().match(/"level":40/g)!.length).toBeLessThanOrEqual(2);
      expect(store.isUp).toBe(false);
      const failure = await store.save(saved(1), ttlMs).catch((error: unknown) => error);
      expect(failure).toMatchObject({ name: 'StoreError', why: 'unreachable' });
    });

    it('that reads its data from its disk says so, and is there when it has', async () => {
      const { store, said } = loading.store;
      await expect.poll(said, patience).toMatch(/it has not got its data yet/);
      await loading.isStarted;
      await expect.poll(() => store.isUp, patience).toBe(true);
    });
  });

  it.each([
    ['is full', ['CONFIG', 'SET', 'maxmemory', '1mb'], ['CONFIG', 'SET', 'maxmemory', '0'], /maxmemory is reached/],
    ['is a replica', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE'], /replica, which takes no writes/],
  ])('that %s says so, once, and is there again when it is not', async (_, spoil, mend, reason) => {
    await redis.ask(...spoil);
    const { store, said } = open(`redis://:${word}@${redis.address}`);
    await expect.poll(said, patience).toMatch(reason);
    expect(store.isUp).toBe(false);
    await redis.ask(...mend);
    await expect.poll(() => store.isUp, patience).toBe(true);
    expect(await store.save(saved(1), ttlMs)).toMatch(/saved|stale/);
    expect(said().match(/refuses what it is asked/g)).toHaveLength(1);
    expect(said()).toMatch(/the store answers/);
  });

  it('that has something else under a key of ours refuses that one, and does others', async () => {
    const { store, said } = open(`redis://:${word}@${redis.address}/2`);
    await expect.poll(() => store.isUp, patience).toBe(true);
    await redis.ask('SELECT', '2');
    await redis.ask('SET', 'speechfb:{s9}:session', 'of another program');
    for (let tries = 0; tries < 3; tries += 1) {
      await expect(store.save(saved(9), ttlMs)).rejects.toMatchObject({ why: 'refused' });
      expect(await store.save(saved(tries), ttlMs)).toBe('saved');
    }
    expect(said().match(/refuses a call, and does others/g)).toHaveLength(1);
    expect(store.isWhole).toBe(true);
  });

  it('that is emptied has all written again, and the log counts what was lost', async () => {
    const { store, said } = open(`redis://:${word}@${redis.address}/3`);
    let ups = 0;
    store.onUp(() => {
      ups += 1;
    });
    await expect.poll(() => store.isUp, patience).toBe(true);
    const self = { id: 'one', url: '', models: ['m'] };
    for (let tries = 0; tries < 3; tries += 1) await store.announce(self, ttlMs);
    await store.save(saved(1), ttlMs);
    expect(await store.save({ ...saved(1), ordinal: 2, wasSaved: true }, ttlMs)).toBe('saved');
    expect(ups).toBe(1);
    await redis.ask('FLUSHALL');
    await store.announce(self, ttlMs);
    expect(ups).toBe(2);
    for (const index of [1, 2, 3]) await store.save({ ...saved(index), ordinal: 3, wasSaved: true }, ttlMs);
    await expect.poll(said, patience).toMatch(/"sessions":3.*had lost sessions that were kept there/);
  });

  it('says whether other gateways are there, when that has changed for long', async () => {
    const [one, two] = [open(`redis://:${word}@${redis.address}/1`), open(`redis://:${word}@${redis.address}/1`)];
    await expect.poll(() => one.store.isUp && two.store.isUp, patience).toBe(true);
    const [first, second] = ['first', 'second'].map((id): LiveGateway => ({ id, url: '', models: ['m'] })) as [
      LiveGateway,
      LiveGateway,
    ];
    await one.store.announce({ ...first, id: 'one' }, 0);
    for (const [times, ttl] of [
      [20, 0],
      [3, ttlMs],
      [9, 0],
      [1, ttlMs],
      [10, 0],
    ] as const) {
      await two.store.announce(second, ttl);
      for (let each = 0; each < times; each += 1) await one.store.announce(first, ttlMs);
    }
    const told = one.said().match(/no other gateway is at the store|other gateways are at the store/g);
    const alone = 'no other gateway is at the store';
    expect(told).toEqual([alone, 'other gateways are at the store', alone]);
  });

  it('that lacks what newer ones have is spoken to as such', async () => {
    const old = await GroupRedis.start(['save ""', 'rename-command HELLO ""']);
    const { store } = open(`redis://${old.address}`);
    await expect.poll(() => store.isUp, patience).toBe(true);
    expect(await store.save(saved(1), ttlMs)).toBe('saved');
  });
});

/** By TLS on another port, with a certificate that nobody here knows. */
function tlsLines(port: number): string[] {
  const folder = temporaryDirectory();
  const pair = newAuthority('nobody').issue();
  const [certificate, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
  writeFileSync(certificate, pair.certificate);
  writeFileSync(key, pair.key, { mode: 0o600 });
  return [`tls-port ${port}`, `tls-cert-file ${certificate}`, `tls-key-file ${key}`, 'tls-auth-clients no'];
}

function open(url: string) {
  const one = opened(url);
  onTestFinished(one.close);
  return one;
}

function opened(url: string) {
  const lines: string[] = [];
  const { parts, close } = openStore(url, undefined, createLog('info', { write: (line) => void lines.push(line) }))!;
  return { store: parts.store, said: () => lines.join(''), close };
}

function saved(index: number) {
  const ids = { sessionId: `s${index}`, tokenHash: 'hash', owner: undefined, model: 'm 1', gateway: 'one' };
  return { ...ids, generation: 1, ordinal: 1, value: 'v' };
}
