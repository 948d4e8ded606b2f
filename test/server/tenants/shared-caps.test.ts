import { connect as dial } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Membership } from '../../../src/server/admission/membership.ts';
import { userIn } from '../../../src/server/public-names.ts';
import { LocalQuota } from '../../../src/server/tenants/local-quota.ts';
import { SharedQuota } from '../../../src/server/tenants/shared-quota.ts';
import { RedisCapStore } from '../../../src/stores/redis/redis-cap-store.ts';
import { RedisLink, type RedisLinkOptions } from '../../../src/stores/redis/redis-link.ts';
import type { StoreTrouble } from '../../../src/stores/session-store.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { startRedis, type TestRedis } from '../../kit/redis.ts';
import { redisLack } from '../../kit/redis-lack.ts';
import { headersOf, startOne } from '../../kit/server/callers.ts';
import { connect, startMessage } from '../../kit/server/client.ts';
import { serveSeveral } from '../../kit/server/gateways.ts';
import { serve } from '../../kit/server/serve.ts';
import { apiToken, newRegistry } from '../../kit/server/tenants.ts';

const greedy = await apiToken('0123456789a0');
const modest = await apiToken('0123456789a1');
const anna = await apiToken('0123456789a2', { user: 'anna' });
const ben = await apiToken('0123456789a3', { user: 'ben' });

const specOf = (limits: object, perUser: object = {}) => ({
  tenants: [
    { name: 'greedy', limits, perUser, tokens: [greedy.entry, anna.entry, ben.entry] },
    { name: 'modest', tokens: [modest.entry] },
  ],
});

describe.skipIf(redisLack !== undefined)('caps of two servers that share a Redis', () => {
  it('let exactly as many in as the cap says of a tenant that asks for ten times as many', async () => {
    const urls = await servers(specOf({ maxSessions: 4 }));
    const outcomes = await Promise.all(Array.from({ length: 40 }, (_, one) => startOne(urls[one % 2]!, greedy)));
    expect(outcomes.filter((outcome) => outcome === 'ready')).toHaveLength(4);
    expect(new Set(outcomes)).toEqual(new Set(['ready', 'tenant_cap']));
    for (const url of urls) expect(await startOne(url, modest)).toBe('ready');
  });

  it('give a place that is free at one to who asks at the other', async () => {
    const [one, two] = await servers(specOf({ maxSessions: 1 }));
    const first = await connect(one, headersOf(greedy));
    first.send(startMessage());
    await first.until('ready');
    expect(await startOne(two, greedy)).toBe('tenant_cap');
    first.send({ type: 'close' });
    await first.closed;
    await expect.poll(() => startOne(two, greedy)).toBe('ready');
  });

  it('bound each user at both, which costs the others nothing', async () => {
    const [one, two] = await servers(specOf({}, { maxSessions: 1 }));
    expect(await startOne(one, anna)).toBe('ready');
    expect(await startOne(two, anna)).toBe('tenant_cap');
    expect(await startOne(two, ben)).toBe('ready');
  });

  it('count starts and minutes of both', async () => {
    const [one, two] = await servers(specOf({ audioMinutesPerDay: 0.1 }, { startsPerSecond: 0.2 }));
    const starts = await Promise.all(Array.from({ length: 8 }, (_, at) => startOne(at % 2 ? one : two, anna)));
    expect(starts.filter((outcome) => outcome === 'ready')).toHaveLength(2);
    const client = await connect(one, headersOf(ben));
    client.send(startMessage());
    await client.until('ready');
    client.frames(0, 320);
    await expect.poll(() => startOne(two, greedy)).toBe('quota');
  });
});

describe.skipIf(redisLack !== undefined)('a quota of several servers', () => {
  it('goes on where Redis stands still, says so once, and counts right when it goes on', async () => {
    const redis = await startRedis();
    const [one, two] = [await quotaAt(redis, { answerMs: 500 }), await quotaAt(redis, { answerMs: 500 })];
    const member = memberOf({ maxSessions: 3 });
    await start(one, member);
    redis.signal('SIGSTOP');
    const insured = [await start(one, member), await start(one, member), await start(two, member)];
    expect(insured.every((answer) => 'release' in answer)).toBe(true);
    expect([one.troubles, two.troubles]).toEqual([['timeout'], ['timeout']]);
    redis.signal('SIGCONT');
    await up(one, two);
    await expect.poll(() => counted(two)).toBe(4);
    expect(codeOf(await start(two, member))).toBe('tenant_cap');
    for (const answer of insured) if ('release' in answer) answer.release();
    await expect.poll(async () => 'release' in (await start(two, member))).toBe(true);
  });

  it('is whole again after a Redis that comes back empty', async () => {
    const redis = await startRedis();
    const [one, two] = [await quotaAt(redis), await quotaAt(redis)];
    const member = memberOf({ maxSessions: 2, audioMinutesPerDay: 1 });
    one.quota.heard(member, 40_000);
    await start(one, member);
    await start(two, member);
    one.quota.look();
    await redis.kill();
    await expect.poll(() => one.link.isUp || two.link.isUp).toBe(false);
    expect('release' in (await start(one, memberOf({ maxSessions: 9 })))).toBe(true);
    two.quota.heard(member, 30_000);
    await redis.start();
    await up(one, two);
    await expect.poll(() => counted(two)).toBe(3);
    await expect
      .poll(async () => {
        for (const { quota } of [one, two]) quota.look();
        return codeOf(await start(one, memberOf({ audioMinutesPerDay: 1 })));
      })
      .toBe('quota');
  });

  it('tells of each server what all have heard of a tenant today, and what it knows while Redis is away', async () => {
    const redis = await startRedis();
    const [one, two] = [await quotaAt(redis), await quotaAt(redis)];
    const today = () => Promise.all([one, two].map(({ quota }) => quota.heardTodayMs(memberOf({}).tenant)));
    expect(await today()).toEqual([0, 0]);
    one.quota.heard(memberOf({}), 40_000);
    expect(await today()).toEqual([40_000, 0]);
    one.quota.look();
    await expect.poll(today).toEqual([40_000, 40_000]);
    two.quota.heard(memberOf({ audioMinutesPerDay: 9 }), 5000);
    two.quota.look();
    await expect.poll(today).toEqual([45_000, 45_000]);
    await redis.kill();
    await expect.poll(() => one.link.isUp || two.link.isUp).toBe(false);
    expect(await today()).toEqual([40_000, 45_000]);
  });

  it('tells of each server what all have heard of a user today, once it was heard there', async () => {
    const redis = await startRedis();
    const [one, two] = [await quotaAt(redis), await quotaAt(redis)];
    const member = { ...memberOf({}), user: 'anna', userCaps: { audioMinutesPerDay: 9 } };
    const today = () =>
      Promise.all(
        [one, two].map(({ quota }) => quota.heardTodayMs(member.tenant, userIn(`tenant:${member.tenant}/anna`)!)),
      );
    one.quota.heard(member, 40_000);
    expect(await today()).toEqual([40_000, 0]);
    one.quota.look();
    await expect.poll(() => today().then(([first]) => first)).toBe(40_000);
    two.quota.heard(member, 5000);
    two.quota.look();
    await expect.poll(() => today().then(([, second]) => second)).toBe(45_000);
  });

  it('frees what a server had that says nothing any more, and keeps what others have', async () => {
    const redis = await startRedis();
    const [dead, living] = [await quotaAt(redis, { ttlMs: 3000 }), await quotaAt(redis)];
    const member = memberOf({ maxSessions: 2 });
    await start(dead, member);
    await start(living, member);
    expect(codeOf(await start(living, member))).toBe('tenant_cap');
    await expect.poll(async () => codeOf(await start(living, member))).toBe('started');
    expect(codeOf(await start(living, member))).toBe('tenant_cap');
  });

  it('refuses no session that was at another server before, and counts it', async () => {
    const redis = await startRedis();
    const [one, two] = [await quotaAt(redis), await quotaAt(redis)];
    const member = memberOf({ maxSessions: 1 });
    await start(one, member);
    const moved = two.quota.returned(member);
    await expect.poll(() => counted(one)).toBe(2);
    moved.release();
    await expect.poll(() => counted(one)).toBe(1);
  });

  it('shows Redis no name of a user', async () => {
    const redis = await startRedis();
    const one = await quotaAt(redis);
    await start(one, {
      ...memberOf({}),
      user: 'anna@school.example',
      userCaps: { maxSessions: 1, startsPerSecond: 9 },
    });
    const keys = await keysOf(redis);
    expect(keys).toContain('speechfb:{tenant:a}:user:');
    expect(keys).not.toContain('anna');
  });
});

/** Two servers and what they share; the second is one of two gateways. */
async function servers(spec: object): Promise<[string, string]> {
  const redis = await startRedis();
  const [one, two] = [capsAt(redis), capsAt(redis)];
  const first = await serve({ tenants: newRegistry(spec), caps: one.caps });
  const second = await serveSeveral(2, { tenants: newRegistry(spec), caps: two.caps });
  await expect.poll(() => one.link.isUp && two.link.isUp).toBe(true);
  return [first.url, second.url];
}

function capsAt({ place }: TestRedis, options: Partial<RedisLinkOptions> = {}) {
  // A busy machine is not to look like a Redis that is away.
  const link = new RedisLink({ place, answerMs: 10_000, ...options });
  onTestFinished(() => link.close());
  return { link, caps: new RedisCapStore(link) };
}

async function quotaAt(redis: TestRedis, { ttlMs = 30_000, answerMs = 10_000 } = {}) {
  const log = createLog('silent', { write() {} });
  const troubles: StoreTrouble[] = [];
  const { link, caps } = capsAt(redis, { answerMs, onDown: ({ why }) => troubles.push(why) });
  const quota = new SharedQuota({
    store: caps,
    insurance: new LocalQuota({ log, wallMs: Date.now }),
    log,
    busyRetryMs: 1000,
    onTrouble() {},
    now: () => performance.now(),
    ttlMs,
  });
  await expect.poll(() => link.isUp).toBe(true);
  return { quota, link, troubles };
}

async function up(...all: { link: RedisLink }[]): Promise<void> {
  await expect.poll(() => all.every(({ link }) => link.isUp)).toBe(true);
}

function start({ quota }: { quota: SharedQuota }, member: Membership) {
  return quota.start(member);
}

function codeOf(answer: Awaited<ReturnType<typeof start>>): string {
  return 'code' in answer ? answer.code : 'started';
}

/** How many sessions all servers have, as a refusal says. */
async function counted(one: { quota: SharedQuota }): Promise<number> {
  const answer = await start(one, memberOf({ maxSessions: 1 }));
  return 'code' in answer ? Number(/has (\d+) sessions/.exec(answer.message)?.[1]) : 0;
}

function memberOf(caps: Membership['caps']): Membership {
  const terms = { class: 'live', weight: 1, isShared: true, lane: undefined } as const;
  return { tenant: 'a', user: undefined, caps, userCaps: {}, ...terms };
}

/** The names of all keys, as Redis says them. */
function keysOf({ place }: TestRedis): Promise<string> {
  const socket = dial(place.port, place.host, () => socket.write('KEYS *\r\nQUIT\r\n'));
  return text(socket);
}
