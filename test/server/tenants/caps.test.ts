import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Membership } from '../../../src/server/admission/membership.ts';
import { userIn } from '../../../src/server/public-names.ts';
import { LocalQuota } from '../../../src/server/tenants/local-quota.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { headersOf, startOne } from '../../kit/server/callers.ts';
import { connect, refusedUpgrade, startMessage } from '../../kit/server/client.ts';
import { serveSeveral } from '../../kit/server/gateways.ts';
import { serve } from '../../kit/server/serve.ts';
import { apiToken, newRegistry } from '../../kit/server/tenants.ts';

const greedy = await apiToken('0123456789a0');
const modest = await apiToken('0123456789a1');
const anna = await apiToken('0123456789a2', { user: 'anna' });
const ben = await apiToken('0123456789a3', { user: 'ben' });
const operator = { size: 1, nameOf: (given: string) => (given === 'operator' ? 'operator' : undefined) };

const specOf = (limits: object, perUser: object = {}) => ({
  tenants: [
    { name: 'greedy', limits, perUser, tokens: [greedy.entry, anna.entry, ben.entry] },
    { name: 'modest', tokens: [modest.entry] },
  ],
});

describe.each([
  ['a server of one process', serve],
  ['a server of two gateways', (options: Parameters<typeof serve>[0]) => serveSeveral(2, options)],
])('a tenant of %s', (_, start) => {
  it('at ten times its cap has its cap, is told 429 with when to come back, and another has what it wants', async () => {
    const { url } = await start({ tenants: newRegistry(specOf({ maxSessions: 3 })) });
    const outcomes = await Promise.all(Array.from({ length: 30 }, () => startOne(url, greedy)));
    expect(outcomes.filter((outcome) => outcome === 'ready')).toHaveLength(3);
    expect(new Set(outcomes)).toEqual(new Set(['ready', 'tenant_cap']));
    expect(await refusedUpgrade(url, headersOf(greedy))).toMatchObject({
      status: 429,
      headers: { 'retry-after': expect.stringMatching(/^\d+$/) },
      body: expect.stringContaining('this tenant has 3 sessions; its cap is 3 (maxSessions)'),
    });
    for (let one = 0; one < 5; one++) expect(await startOne(url, modest)).toBe('ready');
  });

  it('is named in the log once a second where it is refused, at the upgrade and at the start', async () => {
    const lines: string[] = [];
    const log = createLog('warn', { write: (line: string) => lines.push(line) });
    const { url } = await start({ tenants: newRegistry(specOf({ maxSessions: 1 })), log });
    const two = [await connect(url, headersOf(greedy)), await connect(url, headersOf(greedy))];
    for (const client of two) client.send(startMessage());
    const answers = () => two.map((client) => client.of('error').length + client.of('ready').length);
    await expect.poll(answers).toEqual([1, 1]);
    for (let time = 0; time < 20; time++) expect(await startOne(url, greedy)).toBe('tenant_cap');
    const said = (message: string) =>
      lines.map((line) => JSON.parse(line)).filter(({ msg, tenant }) => msg === message && tenant === 'greedy');
    expect(said('an upgrade was refused')[0]).toMatchObject({ reason: 'tenant_cap' });
    expect(said('a client was refused: tenant_cap')[0]).toMatchObject({ code: 'tenant_cap' });
  });

  it('has room again when a session has ended', async () => {
    const { url } = await start({ tenants: newRegistry(specOf({ maxSessions: 1 })) });
    const first = await connect(url, headersOf(greedy));
    first.send(startMessage());
    await first.until('ready');
    expect(await startOne(url, greedy)).toBe('tenant_cap');
    first.send({ type: 'close' });
    await first.closed;
    await expect.poll(() => startOne(url, greedy)).toBe('ready');
  });

  it('has caps for each of its users, which cost the others nothing', async () => {
    const { url } = await start({ tenants: newRegistry(specOf({}, { maxSessions: 1 })) });
    expect(await startOne(url, anna)).toBe('ready');
    expect(await startOne(url, anna)).toBe('tenant_cap');
    expect(await startOne(url, ben)).toBe('ready');
  });

  it('starts no more a second than its cap', async () => {
    const { url } = await start({ tenants: newRegistry(specOf({ startsPerSecond: 0.2 })) });
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => startOne(url, greedy)));
    expect(outcomes.filter((outcome) => outcome === 'ready')).toHaveLength(2);
  });

  it('whose minutes are used up keeps its sessions, and starts no other', async () => {
    const { url } = await start({ tenants: newRegistry(specOf({ audioMinutesPerDay: 0.1 })) });
    const client = await connect(url, headersOf(greedy));
    client.send(startMessage());
    await client.until('ready');
    client.frames(0, 320);
    await expect.poll(() => startOne(url, greedy)).toBe('quota');
    expect((await refusedUpgrade(url, headersOf(greedy))).body).toMatch(/0\.1 minutes of sound of this day.*\[quota\]/);
    client.frames(321, 330);
    await client.until('ack', ({ next_seq }) => next_seq > 330);
    expect(await startOne(url, modest)).toBe('ready');
  });
});

describe('what tenants have', () => {
  it('is shown at /metrics, those beyond the first twenty as one', async () => {
    const many = Array.from({ length: 30 }, (_, at) => ({ name: `t${at}`, limits: { maxSessions: 1 } }));
    const last = await apiToken('0123456789a4');
    const tenants = newRegistry({
      tenants: [...many, { name: 'last', limits: { maxSessions: 1 }, tokens: [last.entry] }],
    });
    const { url, port } = await serve({ tenants, tokens: operator });
    const outcomes = [await startOne(url, last), await startOne(url, last), await startOne(url, last)];
    expect(outcomes).toEqual(['ready', 'tenant_cap', 'tenant_cap']);
    const response = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { authorization: 'Bearer operator' } });
    const metrics = await response.text();
    expect(metrics).toContain('speechfb_tenant_sessions{tenant="t19"} 0');
    expect(metrics).toContain('speechfb_tenant_sessions{tenant="other"} 1');
    expect(metrics).toContain('speechfb_tenant_refusals_total{tenant="other",code="tenant_cap"} 2');
    expect(metrics).not.toContain('tenant="t20"');
  });
});

describe('a quota', () => {
  const dayMs = 86_400_000;
  const member: Membership = {
    tenant: 'a',
    user: 'anna',
    class: 'live',
    weight: 1,
    isShared: true,
    caps: { audioMinutesPerDay: 2 },
    userCaps: { audioMinutesPerDay: 1, startsPerSecond: 2 },
    lane: undefined,
  };
  beforeEach(() => void vi.useFakeTimers({ now: 0 }));
  afterEach(() => void vi.useRealTimers());
  const newQuota = () => new LocalQuota({ log: createLog('silent', { write() {} }), wallMs: Date.now });

  it('of a day is whole again at midnight UTC, and its refusal says how long that is', async () => {
    const quota = newQuota();
    vi.setSystemTime(dayMs - 3_600_000);
    quota.heard(member, 60_000);
    expect(await quota.start(member)).toMatchObject({ code: 'quota', retryAfterMs: 3_600_000 });
    expect(quota.spent(member)?.message).toMatch(/this user has used its 1 minutes/);
    expect(await quota.start({ ...member, user: 'ben' })).not.toHaveProperty('code');
    vi.setSystemTime(dayMs);
    expect(quota.spent(member)).toBeUndefined();
    expect(await quota.start(member)).not.toHaveProperty('code');
  });

  it('of a tenant adds up what its users have had', async () => {
    const quota = newQuota();
    for (const user of ['anna', 'ben', 'cleo']) quota.heard({ ...member, user }, 40_000);
    expect(await quota.start({ ...member, user: 'dora' })).toMatchObject({ code: 'quota', message: /this tenant/ });
  });

  it('tells what was heard of a tenant today, whether or not that has a cap', async () => {
    const quota = newQuota();
    quota.heard(member, 20_000);
    quota.heard({ ...member, user: 'anna' }, 10_000);
    quota.heard({ ...member, tenant: 'free', caps: {} }, 5000);
    const today = () => Promise.all(['a', 'free', 'unheard'].map((tenant) => quota.heardTodayMs(tenant)));
    expect(await today()).toEqual([30_000, 5000, 0]);
    vi.setSystemTime(Date.UTC(2026, 2, 1));
    expect(await today()).toEqual([0, 0, 0]);
  });

  it('tells what was heard of a user today by its digest, where that has a cap', async () => {
    const quota = newQuota();
    for (const user of ['anna', 'ben', 'anna']) quota.heard({ ...member, user }, 10_000);
    quota.heard({ ...member, user: 'cleo', userCaps: {} }, 10_000);
    const today = (...users: string[]) =>
      Promise.all(users.map((user) => quota.heardTodayMs(member.tenant, userIn(`tenant:${member.tenant}/${user}`)!)));
    expect(await today('anna', 'ben', 'cleo', 'dora')).toEqual([20_000, 10_000, 0, 0]);
    vi.setSystemTime(Date.UTC(2026, 2, 1));
    expect(await today('anna', 'ben')).toEqual([0, 0]);
  });

  it('that is raised counts what was had already', async () => {
    const quota = newQuota();
    quota.heard(member, 90_000);
    const raised = { ...member, userCaps: { audioMinutesPerDay: 2 } };
    expect(await quota.start(raised)).not.toHaveProperty('code');
    quota.heard(raised, 30_000);
    expect(await quota.start(raised)).toMatchObject({ code: 'quota' });
  });

  it('of starts is that of each second, and a refused user takes none of the tenant', async () => {
    const quota = newQuota();
    const both = { ...member, caps: { startsPerSecond: 3 } };
    const of = async (user: string) => {
      const answer = await quota.start({ ...both, user });
      return 'code' in answer ? answer.code : 'started';
    };
    const outcomes = [];
    for (const user of ['anna', 'anna', 'anna', 'anna', 'ben', 'ben']) outcomes.push(await of(user));
    expect(outcomes).toEqual(['started', 'started', 'tenant_cap', 'tenant_cap', 'started', 'tenant_cap']);
    vi.advanceTimersByTime(1001);
    expect(await of('anna')).toBe('started');
  });
});
