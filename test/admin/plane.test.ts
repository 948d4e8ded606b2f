import { readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { parseAdminTokens } from '../../src/admin/admin-tokens.ts';
import {
  auditDocument,
  drainAnswer,
  reloadAnswer,
  sessionsDocument,
  statusDocument,
  tenantDocument,
  tenantsDocument,
} from '../../src/admin/documents.ts';
import { limitsAnswer, limitsDocument } from '../../src/admin/limits-document.ts';
import { AdminPlane } from '../../src/admin/plane.ts';
import { routes } from '../../src/admin/routes.ts';
import type { AdminTarget, TargetSession, TargetStatus } from '../../src/admin/target.ts';
import { AuditLog } from '../../src/audit/log.ts';
import { verifyAudit } from '../../src/audit/verify.ts';
import { SpeechfbError } from '../../src/errors.ts';
import { limitNames } from '../../src/protocol/limit-ranges.ts';
import { tenantText } from '../../src/report/admin/admin-text.ts';
import { createPaint } from '../../src/report/terminal/paint.ts';
import { LimitBook } from '../../src/server/limit-book.ts';
import { defaultLimits } from '../../src/server/limits.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { rawIn } from '../kit/hostile-text.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const operator = 'operator-token-0123456789';
const reader = 'reader-token-0123456789';
const tokens = parseAdminTokens(`anna operate ${operator}\nbob read ${reader}`, 'tokens');

const session = (n: number, changes: Partial<TargetSession> = {}): TargetSession => ({
  id: `${n}`.padStart(16, '0'),
  state: 'streaming',
  lane: 'live',
  tenant: 'north',
  user: undefined,
  ageMs: n * 1000,
  node: undefined,
  gateway: undefined,
  ...changes,
});

const empty: TargetStatus = {
  notReady: undefined,
  model: { name: 'm', version: '1', provider: 'cpu' },
  sockets: 2,
  sessions: { streaming: 2, detached: 0, ending: 0 },
  lanes: { live: 1, batch: 1 },
  sessionLimit: Number.POSITIVE_INFINITY,
  level: 0,
  slots: undefined,
  nodes: [],
  gateways: [],
};

type Plane = {
  url: string;
  log: string[];
  file: string;
  target: AdminTarget & { openNow: number; calls: string[] };
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
};
type CallOptions = { token?: string | undefined; body?: unknown; headers?: Record<string, string> };
type Answer = { status: number; headers: Headers; document: Record<string, never> };

async function plane({
  withAudit = true,
  ...changes
}: Partial<AdminTarget> & { withAudit?: boolean } = {}): Promise<Plane> {
  const log: string[] = [];
  const file = join(temporaryDirectory(), 'audit.jsonl');
  const audit = withAudit ? await AuditLog.open(file) : undefined;
  const target: Plane['target'] = {
    role: 'gateway',
    version: '1.2.3',
    openNow: 2,
    calls: [],
    status: async () => empty,
    sessions: async () => [session(1), session(2, { lane: 'batch', tenant: undefined })],
    policy: () => ({ max_sessions: 400, max_sessions_per_token: Number.POSITIVE_INFINITY }),
    open: () => target.openNow,
    cordon: (isCordoned: boolean) => void target.calls.push(isCordoned ? 'cordon' : 'uncordon'),
    leave: () => void target.calls.push('leave'),
    ...changes,
  };
  const server = await AdminPlane.start({
    host: '127.0.0.1',
    port: 0,
    tokens,
    hosts: ['admin.example'],
    target,
    audit,
    log: createLog('info', { write: (line: string) => log.push(line) }),
  });
  onTestFinished(async () => {
    await server.close();
    await audit?.close();
  });
  const call = async (method: string, path: string, { token = operator, body, headers }: CallOptions = {}) => {
    const sent = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(`${server.url}${path}`, {
      method,
      headers: { ...(token !== '' && { authorization: `Bearer ${token}` }), ...headers },
      ...(sent !== undefined && { body: sent as string }),
    });
    const said = await response.text();
    return { status: response.status, headers: response.headers, document: said === '' ? {} : JSON.parse(said) };
  };
  return { url: server.url, log, file, target, call };
}

describe('what the admin plane shows', () => {
  it.each([
    ['/admin/v1/status', statusDocument, { role: 'gateway', ready: true, session_limit: null, audit: { seq: 0 } }],
    ['/admin/v1/sessions?limit=1', sessionsDocument, { sessions: [{ age_ms: 2000, tenant: null }], left_out: 1 }],
    ['/admin/v1/tenants', tenantsDocument, { tenants: [{ tenant: 'north', streaming: 1 }, { tenant: null }] }],
    ['/admin/v1/audit', auditDocument, { entries: [], head: { seq: 0 } }],
  ] as const)('at %s is what its schema says, to whoever may read', async (path, schema, expected) => {
    const { call } = await plane();
    const { status, document } = await call('GET', path, { token: reader });
    expect(status).toBe(200);
    expect(schema.parse(document)).toEqual(document);
    expect(document).toMatchObject(expected);
  });

  it('says which limits are in force, null where there is none', async () => {
    const { call } = await plane();
    expect((await call('GET', '/admin/v1/policy')).document).toEqual({
      limits: { max_sessions: 400, max_sessions_per_token: null },
    });
  });

  it('says what each limit is, may be and is for, and which may be set meanwhile', async () => {
    const { call } = await plane({ limits: new LimitBook({ ...defaultLimits, maxSessions: 7 }) });
    const { document } = await call('GET', '/admin/v1/limits', { token: reader });
    expect(limitsDocument.parse(document)).toEqual(document);
    const { limits } = limitsDocument.parse(document);
    expect(limits.map(({ name }) => name)).toEqual(limitNames);
    expect(new Set(limits.map(({ about }) => about.length > 0))).toEqual(new Set([true]));
    const byName = new Map(limits.map((limit) => [limit.name, limit]));
    expect(byName.get('max_sessions')).toMatchObject({ value: 7, default: 400, least: 1, live: true, set_by: null });
    expect(byName.get('max_sessions_per_token')).toMatchObject({ value: null, default: null, whole: true });
    expect(byName.get('max_frame_bytes')).toMatchObject({ value: 65_536, live: false });
  });

  it('says that a node has no sessions', async () => {
    const { call } = await plane({ role: 'inference', sessions: undefined as never });
    expect(await call('GET', '/admin/v1/sessions')).toMatchObject({
      status: 404,
      document: { error: { code: 'not_found' } },
    });
  });

  it('answers HEAD without a body', async () => {
    const { call } = await plane();
    expect(await call('HEAD', '/admin/v1/status')).toMatchObject({ status: 200, document: {} });
  });
});

describe('who may call', () => {
  const status = '/admin/v1/status';
  it.each<[string, string, string, CallOptions, number, string]>([
    ['no token', 'GET', status, { token: '' }, 401, 'unauthorized'],
    ['a token of nobody', 'GET', status, { token: 'x'.repeat(20) }, 401, 'unauthorized'],
    [
      'another scheme',
      'GET',
      status,
      { token: '', headers: { authorization: `Basic ${operator}` } },
      401,
      'unauthorized',
    ],
    ['a page', 'GET', status, { headers: { origin: 'http://127.0.0.1' } }, 403, 'forbidden'],
    ['a reader who would change something', 'POST', '/admin/v1/drain', { token: reader }, 403, 'forbidden'],
    ['a path that is not there', 'GET', '/admin/v1/nothing', {}, 404, 'not_found'],
    ['a name of every object', 'GET', '/__proto__', {}, 404, 'not_found'],
    ['a method that it has not', 'DELETE', status, {}, 405, 'method_not_allowed'],
    ['a query that it does not know', 'GET', '/admin/v1/sessions?limt=3', {}, 400, 'invalid_message'],
    ['a limit that is no number', 'GET', '/admin/v1/sessions?limit=-1', {}, 400, 'invalid_message'],
    ['too large a limit', 'GET', '/admin/v1/audit?limit=1001', {}, 400, 'invalid_message'],
    ['no reason', 'POST', '/admin/v1/drain', { body: {} }, 400, 'invalid_message'],
    ['a reason of blanks', 'POST', '/admin/v1/drain', { body: { reason: '     ' } }, 400, 'invalid_message'],
    ['a body that is no JSON', 'POST', '/admin/v1/drain', { body: '{' }, 400, 'invalid_message'],
    ['a list', 'POST', '/admin/v1/drain', { body: [] }, 400, 'invalid_message'],
    ['a key too many', 'POST', '/admin/v1/drain', { body: { reason: 'why not', '\u202e': 1 } }, 400, 'invalid_message'],
    [
      'a deadline below zero',
      'POST',
      '/admin/v1/drain',
      { body: { reason: 'why not', deadline_ms: -1 } },
      400,
      'invalid_message',
    ],
    ['a body without end', 'POST', '/admin/v1/drain', { body: 'x'.repeat(70_000) }, 413, 'too_large'],
  ])('refuses %s', async (_, method, path, options, status, code) => {
    const { call, target, file, log } = await plane();
    const answer = await call(method, path, options);
    expect(answer).toMatchObject({ status, document: { error: { code } } });
    expect(rawIn(JSON.stringify(answer.document), 'json')).toEqual([]);
    expect(target.calls).toEqual([]);
    expect((await verifyAudit(file)).entries).toBe(0);
    expect(log.join('')).not.toMatch(/operator-token|reader-token|xxxx/);
  });

  it('goes by its own names alone', async () => {
    const { url } = await plane();
    const ask = async (host: string) => {
      const socket = connectTcp(Number(new URL(url).port), '127.0.0.1');
      socket.write(
        `GET ${status} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${operator}\r\nconnection: close\r\n\r\n`,
      );
      return (await text(socket)).split(' ', 2)[1];
    };
    expect(await ask('evil.example')).toBe('421');
    expect(await ask('admin.example')).toBe('200');
    expect(await ask('localhost:8095')).toBe('200');
  });

  it('hears an address no more that has shown too many wrong tokens, for a while', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const { call, log } = await plane();
    for (let n = 0; n < 10; n += 1)
      expect((await call('GET', status, { token: `guess-number-${n}-xxxxx` })).status).toBe(401);
    const late = await call('GET', status);
    expect(late).toMatchObject({ status: 429, document: { error: { code: 'rate_limited' } } });
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await call('GET', status, { token: '' })).status).toBe(429);
    vi.advanceTimersByTime(2100);
    expect((await call('GET', status)).status).toBe(200);
    // A flood of them fills no disk.
    expect(log.filter((line) => line.includes('was refused'))).toHaveLength(1);
  });

  it('answers an address that asks without end no faster than fifty times a second', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const { call } = await plane();
    const ask = async (count: number) => {
      const statuses: number[] = [];
      for (let n = 0; n < count; n += 1) statuses.push((await call('GET', status)).status);
      return statuses.filter((code) => code === 200).length;
    };
    expect(await ask(302)).toBe(300);
    vi.advanceTimersByTime(100);
    expect(await ask(7)).toBe(5);
    const late = await call('GET', status);
    expect(late).toMatchObject({ status: 429, document: { error: { code: 'rate_limited' } } });
    expect([late.headers.get('retry-after'), late.headers.get('connection')]).toEqual(['1', 'close']);
  });

  it.each([
    ['', /holds no token/],
    ['anna operate', /:1: is not "name role token"/],
    ['anna root 0123456789abcdef', /:1: has a role that is neither read nor operate/],
    ['anna read short', /:1: the token has 5 characters; at least 16/],
    ['# all\n\nanna read 0123456789abcdef\nanna read 0123456789abcdeg', /:4: the name "anna" is there twice/],
    ['anna read 0123456789abcdef\nbob operate 0123456789abcdef', /:2: the token is that of "anna" too/],
    ['anna read ${env:SPEECHFB_NO_SUCH_VARIABLE}', /:1: the environment variable/],
  ])('refuses a token file that says %j', (given, message) => {
    const read = () => parseAdminTokens(given, 'tokens');
    expect(read).toThrow(/tokens cannot be used/);
    let problems = '';
    try {
      read();
    } catch (error) {
      const { problems: found } = error as { problems: { where: string; message: string }[] };
      problems = found.map(({ where, message: told }) => `${where}: ${told}`).join('\n');
    }
    expect(problems).toMatch(message);
    expect(problems).not.toMatch(/0123456789/);
  });

  it('listens beyond loopback with TLS alone', async () => {
    const audit = undefined;
    const log = createLog('silent', { write() {} });
    const { target } = await plane();
    const options = { port: 0, tokens, hosts: [], target, audit, log };
    await expect(AdminPlane.start({ ...options, host: '0.0.0.0' })).rejects.toMatchObject({ code: 'unsafe_host' });
  });
});

describe('a drain', () => {
  const drain = (reason = 'a new version', deadline_ms = 60_000) => ({ body: { reason, deadline_ms } });

  it('lets nobody new in, can be called off, and ends when the server is empty', async () => {
    const { call, target, file } = await plane();
    const begun = await call('POST', '/admin/v1/drain', drain());
    expect(drainAnswer.parse(begun.document)).toMatchObject({
      changed: true,
      drain: { phase: 'emptying', open: 2, open_at_start: 2 },
      audit: { seq: 1 },
    });
    expect(target.calls).toEqual(['cordon']);
    // The same once more changes nothing, and nothing is written down.
    expect((await call('POST', '/admin/v1/drain', drain('again'))).document).toMatchObject({
      changed: false,
      audit: { seq: 1 },
    });
    target.openNow = 1;
    expect((await call('GET', '/admin/v1/drain', { token: reader })).document).toMatchObject({
      drain: { phase: 'emptying', open: 1, open_at_start: 2 },
    });
    const off = await call('POST', '/admin/v1/drain/cancel', { body: { reason: 'it can wait' } });
    expect(off.document).toMatchObject({ changed: true, drain: { phase: 'serving' }, audit: { seq: 2 } });
    expect((await call('POST', '/admin/v1/drain/cancel', { body: { reason: 'twice' } })).document).toMatchObject({
      changed: false,
    });
    await call('POST', '/admin/v1/drain', drain());
    target.openNow = 0;
    await expect.poll(() => target.calls).toEqual(['cordon', 'uncordon', 'cordon', 'leave']);
    const over = await call('POST', '/admin/v1/drain/cancel', { body: { reason: 'too late' } });
    expect(over).toMatchObject({ status: 409, document: { error: { code: 'drain_over' } } });
    const { document } = await call('GET', '/admin/v1/audit?since=1');
    expect(auditDocument.parse(document).entries).toMatchObject([
      { seq: 2, actor: 'anna', action: 'drain.cancel', target: 'gateway', reason: 'it can wait' },
      { seq: 3, action: 'drain.start', diff: { phase: ['serving', 'emptying'], deadline_ms: 60_000, open: 1 } },
    ]);
    await expect(verifyAudit(file)).resolves.toMatchObject({ entries: 3, broken: undefined });
  });

  it('goes at its deadline, whoever is inside', async () => {
    const { call, target } = await plane();
    await call('POST', '/admin/v1/drain', drain('now', 0));
    await expect.poll(() => target.calls).toEqual(['cordon', 'leave']);
  });

  it('is begun once by two who call at the same time', async () => {
    const { call, target, file } = await plane();
    const answers = await Promise.all([1, 2, 3].map((n) => call('POST', '/admin/v1/drain', drain(`call ${n}`))));
    expect(answers.filter(({ document }) => document['changed']).length).toBe(1);
    expect(target.calls).toEqual(['cordon']);
    expect((await verifyAudit(file)).entries).toBe(1);
  });

  it('is refused where there is no log to write it down in', async () => {
    const { call, target } = await plane({ withAudit: false });
    const answer = await call('POST', '/admin/v1/drain', drain());
    expect(answer).toMatchObject({ status: 409, document: { error: { code: 'no_audit_log' } } });
    expect((await call('GET', '/admin/v1/audit')).status).toBe(409);
    expect(target.calls).toEqual([]);
  });
});

describe('tenants', () => {
  const terms = (name: string, maxSessions?: number) => {
    return { name, class: 'live', weight: 1, caps: { maxSessions }, userCaps: {} };
  };
  const heard = { heardTodayMs: async () => 90_000 };
  const reload = { body: { reason: 'school-b pays' } };

  it('are shown with what they have and may have, those of the file without a session too', async () => {
    const { call } = await plane({ tenants: { ...heard, list: () => [terms('south', 20)], reread: unread } });
    const { document } = await call('GET', '/admin/v1/tenants', { token: reader });
    expect(tenantsDocument.parse(document).tenants).toMatchObject([
      { tenant: 'north', streaming: 1, users: 0, audio_minutes_today: null, terms: null },
      { tenant: null, streaming: 1 },
      {
        tenant: 'south',
        streaming: 0,
        audio_minutes_today: 1.5,
        terms: { class: 'live', limits: { max_sessions: 20, starts_per_second: null } },
      },
    ]);
  });

  it('count a learner once, however many sessions one has, and show nobody who it is', async () => {
    const users = ['f00d', 'f00d', 'beef', undefined];
    const { call } = await plane({
      sessions: async () => users.map((user, n) => session(n, { tenant: 'south', user })),
      tenants: { ...heard, list: () => [terms('south')], reread: unread },
    });
    const { document } = await call('GET', '/admin/v1/tenants', { token: reader });
    expect(tenantsDocument.parse(document).tenants).toMatchObject([{ tenant: 'south', streaming: 4, users: 2 }]);
    const sessions = await call('GET', '/admin/v1/sessions', { token: reader });
    for (const answer of [document, sessions.document]) expect(JSON.stringify(answer)).not.toMatch(/f00d|beef/);
  });

  describe('of which one is asked for', () => {
    const users = ['f00d', 'beef', 'beef', 'cafe', undefined];
    const sessions = async () => [
      ...users.map((user, n) => session(n, { tenant: 'south', user, ageMs: 1000 * n })),
      session(9, { tenant: 'north', user: 'dead' }),
    ];
    const tenants = { ...heard, list: () => [terms('south', 20), terms('west')], reread: unread };
    const ask = async (query: string) =>
      await (await plane({ sessions, tenants })).call('GET', `/admin/v1/tenants?${query}`, { token: reader });

    it('shows who of its users has most open, and of equals who has been there longest', async () => {
      const document = tenantDocument.parse((await ask('tenant=south')).document);
      expect(document).toMatchObject({
        tenants: [{ tenant: 'south', streaming: 5, users: 3, audio_minutes_today: 1.5 }],
        users: [{ user: 'beef', streaming: 2, detached: 0, oldest_ms: 2000 }, { user: 'cafe' }, { user: 'f00d' }],
        left_out: 0,
      });
    });

    it('shows the minutes of each of them where they are capped, and how near the cap', async () => {
      const capped = { ...terms('south'), userCaps: { audioMinutesPerDay: 5 } };
      const heardTodayMs = async (_: string, user?: string) => (user === 'beef' ? 120_000 : 0);
      const { call } = await plane({ sessions, tenants: { ...tenants, heardTodayMs, list: () => [capped] } });
      const { document } = await call('GET', '/admin/v1/tenants?tenant=south', { token: reader });
      const { users: shown } = tenantDocument.parse(document);
      expect(shown.map(({ user, audio_minutes_today }) => [user, audio_minutes_today])).toEqual([
        ['beef', 2],
        ['cafe', 0],
        ['f00d', 0],
      ]);
      expect(tenantText(tenantDocument.parse(document), createPaint(false))).toMatch(/beef .* 2\.0 of 5 /);
      const uncapped = tenantDocument.parse((await ask('tenant=south')).document);
      expect(uncapped.users.map(({ audio_minutes_today }) => audio_minutes_today)).toEqual([null, null, null]);
    });

    it('shows no more users than it is asked for, and how many there are', async () => {
      const { document } = await ask('tenant=south&limit=1');
      expect(document).toMatchObject({ tenants: [{ users: 3 }], users: [{ user: 'beef' }], left_out: 2 });
    });

    it('shows one of the file that has nothing open, and one that is no longer in the file', async () => {
      expect((await ask('tenant=west')).document).toMatchObject({
        tenants: [{ tenant: 'west' }],
        users: [],
        left_out: 0,
      });
      expect((await ask('tenant=north')).document).toMatchObject({
        tenants: [{ terms: null }],
        users: [{ user: 'dead' }],
      });
    });

    it.each([
      ['tenant=east', 404, 'no tenant of this server is "east"'],
      ['tenant=south&limit=0', 400, 'limit'],
      ['limit=5', 400, 'goes with tenant'],
      ['user=anna', 400, 'user'],
    ])('is refused as %s', async (query, status, sentence) => {
      const answer = await ask(query);
      expect(answer.status).toBe(status);
      expect(answer.document).toMatchObject({ error: { message: expect.stringContaining(sentence) } });
    });
  });

  it('are taken up after that was written down, and only where something is different', async () => {
    let isNew = true;
    const { call, target, file } = await plane({
      tenants: {
        ...heard,
        list: () => [],
        reread: () => ({
          changes: { added: isNew ? ['school-b'] : [], removed: [], changed: [], others: isNew },
          take() {
            isNew = false;
            target.calls.push('take');
          },
        }),
      },
    });
    const answer = await call('POST', '/admin/v1/tenants/reload', reload);
    expect(reloadAnswer.parse(answer.document)).toMatchObject({
      added: ['school-b'],
      changed: true,
      audit: { seq: 1 },
    });
    expect((await call('POST', '/admin/v1/tenants/reload', reload)).document).toMatchObject({ changed: false });
    expect(target.calls).toEqual(['take']);
    const { document } = await call('GET', '/admin/v1/audit');
    expect(auditDocument.parse(document).entries).toMatchObject([
      { action: 'tenants.reload', reason: 'school-b pays', diff: { added: ['school-b'] } },
    ]);
    expect((await verifyAudit(file)).entries).toBe(1);
  });

  it('stay as they are where the file cannot be used, which is said at its lines', async () => {
    const { call, file } = await plane({ tenants: { ...heard, list: () => [], reread: unread } });
    expect(await call('POST', '/admin/v1/tenants/reload', reload)).toMatchObject({
      status: 409,
      document: {
        error: { code: 'bad_config', message: expect.stringMatching(/nothing was changed: .*t\.yaml:3:4: no/) },
      },
    });
    expect((await verifyAudit(file)).entries).toBe(0);
    expect(await (await plane()).call('POST', '/admin/v1/tenants/reload', reload)).toMatchObject({ status: 404 });
  });

  function unread(): never {
    throw new SpeechfbError('bad_config', 't.yaml cannot be used', {
      problems: [{ where: 't.yaml:3:4', message: 'no' }],
    });
  }
});

it('lists in docs/admin.md what there is', async () => {
  const { readFileSync } = await import('node:fs');
  const page = readFileSync(join(import.meta.dirname, '../../docs/admin.md'), 'utf8');
  for (const [path, methods] of Object.entries(routes))
    for (const method of Object.keys(methods)) expect(page).toContain(`| \`${method} ${path}`);
});

describe('limits that are set while the server runs', () => {
  it('are in the audit log before they are in force, and say who set them', async () => {
    const inForce = { ...defaultLimits };
    const told: object[] = [];
    const book = new LimitBook(inForce, (changed) => told.push(changed));
    const { call, file } = await plane({ limits: book });
    const set = { overload_delay_ms: 150, max_sessions_per_token: 5, max_sessions: 400 };
    const { status, document } = await call('POST', '/admin/v1/limits', { body: { set, reason: 'a slow evening' } });
    expect(status).toBe(200);
    expect(limitsAnswer.parse(document)).toMatchObject({
      changed: true,
      changes: [
        { name: 'overload_delay_ms', from: 100, to: 150 },
        { name: 'max_sessions_per_token', from: null, to: 5 },
      ],
      audit: { seq: 1 },
    });
    expect(inForce).toMatchObject({ overloadDelayMs: 150, maxSessionsPerToken: 5 });
    expect(told).toEqual([{ overloadDelayMs: 150, maxSessionsPerToken: 5 }]);
    expect(readFileSync(file, 'utf8')).toContain(
      '"diff":{"max_sessions_per_token":[null,5],"overload_delay_ms":[100,150]}',
    );
    const again = await call('POST', '/admin/v1/limits', { body: { set, reason: 'a slow evening' } });
    expect(again.document).toMatchObject({ changed: false, changes: [], audit: { seq: 1 } });
    const none = { set: { max_sessions_per_token: null }, reason: 'it is over' };
    expect((await call('POST', '/admin/v1/limits', { body: none })).document).toMatchObject({ changed: true });
    expect(inForce.maxSessionsPerToken).toBe(Number.POSITIVE_INFINITY);
    const { limits } = limitsDocument.parse((await call('GET', '/admin/v1/limits')).document);
    expect(
      limits.filter(({ set_by }) => set_by).map(({ name, set_by }) => [name, set_by?.actor, set_by?.reason]),
    ).toEqual([
      ['max_sessions_per_token', 'anna', 'it is over'],
      ['overload_delay_ms', 'anna', 'a slow evening'],
    ]);
  });

  it.each([
    [{ limit_growth: 9 }, 409, 'limit_growth: 9 is not allowed; allowed: a number from 0 to 1'],
    [{ max_sesions: 9 }, 409, '"max_sesions" is not a limit (did you mean "max_sessions"?)'],
    [{ __proto__x: 9 }, 409, 'is not a limit'],
    [{ max_frame_bytes: 1024 }, 409, 'set it with serve --limit max_frame_bytes=VALUE'],
    [{ max_sessions: null }, 409, 'max_sessions: '],
    [{ max_sessions_per_token: 0 }, 409, 'a whole number from 1 to 1000000, or none'],
    [{ fixed_sessions: 500 }, 409, 'fixed_sessions (500) is more than max_sessions (400)'],
    [{ max_sessions: 2000 }, 409, 'max_sessions (2000) is more than max_connections (1000)'],
    [{ overload_delay_ms: 150, shed_share: 2 }, 409, 'shed_share: 2 is not allowed'],
    [{ overload_delay_ms: '150' }, 400, 'overload_delay_ms'],
    [{}, 400, 'set: is empty'],
  ])('are refused as %o, and nothing is different', async (set, status, sentence) => {
    const inForce = { ...defaultLimits };
    const { call, file } = await plane({ limits: new LimitBook(inForce) });
    const answer = await call('POST', '/admin/v1/limits', { body: { set, reason: 'by mistake' } });
    expect(answer.status).toBe(status);
    expect(answer.document).toMatchObject({ error: { message: expect.stringContaining(sentence) } });
    expect(inForce).toEqual(defaultLimits);
    expect(readFileSync(file, 'utf8')).toBe('');
  });

  it('cannot be set at a node, without an audit log, without a reason, or by who may only read', async () => {
    const body = { set: { max_sessions: 9 }, reason: 'less' };
    const { call } = await plane();
    expect((await call('GET', '/admin/v1/limits')).status).toBe(404);
    const limits = new LimitBook({ ...defaultLimits });
    const unwritten = await plane({ limits, withAudit: false });
    expect(await unwritten.call('POST', '/admin/v1/limits', { body })).toMatchObject({
      status: 409,
      document: { error: { code: 'no_audit_log' } },
    });
    const written = await plane({ limits });
    expect((await written.call('POST', '/admin/v1/limits', { body: { set: body.set } })).status).toBe(400);
    expect((await written.call('POST', '/admin/v1/limits', { body, token: reader })).status).toBe(403);
    expect(limits.values().max_sessions).toBe(400);
  });
});
