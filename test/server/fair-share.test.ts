import { describe, expect, it } from 'vitest';
import { parseTokens } from '../../src/server/admission/tokens.ts';
import type { ServerOptions } from '../../src/server/gateway/server.ts';
import { type ConnectOptions, connect, refusedUpgrade, startMessage, type TestClient } from '../kit/server/client.ts';
import { serve } from '../kit/server/serve.ts';

const greedyToken: ConnectOptions = { headers: { authorization: 'Bearer 0123456789abcdef' } };
const otherToken: ConnectOptions = { headers: { authorization: 'Bearer fedcba9876543210' } };
const serveTwo = (limits: NonNullable<ServerOptions['limits']>) =>
  serve({ tokens: parseTokens('greedy 0123456789abcdef\nother fedcba9876543210\n', 'tokens'), limits });
/** Nobody who speaks goes for somebody else. */
const patient = { guaranteedShare: 1 };

describe('where one token takes all that it can', () => {
  it('another still finds sessions', async () => {
    const { url } = await serveTwo({ maxSessions: 10, ...patient });
    expect(await startUntilRefused(url, greedyToken)).toEqual({
      started: 9,
      code: 503,
      sentence: expect.stringContaining('(place_share)'),
    });
    expect(await startUntilRefused(url, otherToken)).toEqual({
      started: 1,
      code: 503,
      sentence: expect.stringContaining('all 10 sessions'),
    });
  });

  it('its newest sessions go for others once there is no place, until all who ask have the same', async () => {
    const server = await serveTwo({ maxSessions: 10, goAwayMs: 200 });
    const greedy = await begun(server.url, greedyToken, 9);
    expect(await startUntilRefused(server.url, otherToken)).toMatchObject({ started: 5 });
    expect(greedy.map((client) => client.of('go_away').length)).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1]);
    const told = { reason: 'overload', retry_after_ms: expect.any(Number), return_ticket: null };
    expect(greedy[8]!.of('go_away')).toMatchObject([told]);
    greedy[8]!.send({ type: 'close' });
    expect((await greedy[8]!.closed).code).toBe(4503);
    greedy[0]!.frames(0, 39);
    greedy[0]!.send({ type: 'close' });
    expect((await greedy[0]!.closed).code).toBe(1000);
  });

  it('a fifth of the places is its own whoever asks, or as much as is said', async () => {
    const { url } = await serveTwo({ maxSessions: 10, guaranteedShare: 0.7 });
    const greedy = await begun(url, greedyToken, 9);
    expect(await startUntilRefused(url, otherToken)).toMatchObject({ started: 3 });
    expect(greedy.filter((client) => client.of('go_away').length > 0)).toEqual(greedy.slice(7));
  });

  it('its sessions that wait for a resume are given up for others at once', async () => {
    const server = await serveTwo({ maxSessions: 10 });
    const greedy = await Promise.all(Array.from({ length: 9 }, () => start(server.url, greedyToken)));
    for (const client of greedy) client.cut();
    await expect.poll(() => server.stats().detached).toBe(9);
    expect(await startUntilRefused(server.url, otherToken)).toMatchObject({ started: 5 });
    expect(server.stats()).toMatchObject({ sessions: 10, detached: 5, streaming: 5 });
    const metrics = await fetch(`http://127.0.0.1:${server.port}/metrics`, otherToken);
    expect(await metrics.text()).toContain('speechfb_given_up_total{what="session"} 4');
  });

  it('its sockets without a session are given up for those of others', async () => {
    const server = await serveTwo({ maxConnections: 10 });
    const idle = await Promise.all(Array.from({ length: 9 }, () => connect(server.url, greedyToken)));
    expect((await refusedUpgrade(server.url, greedyToken)).status).toBe(503);
    const others = await Promise.all(Array.from({ length: 5 }, () => start(server.url, otherToken)));
    expect((await refusedUpgrade(server.url, otherToken)).body).toContain('all 10 connections');
    expect((await idle[0]!.closed).code).toBe(1006);
    expect(server.stats()).toMatchObject({ sockets: 10, sessions: 5 });
    for (const client of others) client.send({ type: 'close' });
    for (const client of others) expect((await client.closed).code).toBe(1000);
  });

  it('a session that is being read is never given up', async () => {
    const server = await serveTwo({ maxSessions: 2 });
    const greedy = await start(server.url, greedyToken);
    await start(server.url, otherToken);
    expect(await startUntilRefused(server.url, otherToken)).toMatchObject({ started: 0 });
    greedy.frames(0, 39);
    greedy.send({ type: 'close' });
    expect((await greedy.closed).code).toBe(1000);
  });
});

describe('a token alone, or this machine without tokens', () => {
  it.each([
    ['one token', { tokens: parseTokens('anna 0123456789abcdef', 'tokens') }],
    ['no token', {}],
    [
      'two tokens, where nothing is kept for others',
      { limits: { placeShare: 1 }, tokens: parseTokens('anna 0123456789abcdef\nben fedcba9876543210', 'tokens') },
    ],
  ])('has every session: %s', async (_, changes: Partial<ServerOptions>) => {
    const { url } = await serve({ ...changes, limits: { maxSessions: 10, ...changes.limits } });
    const options = changes.tokens ? greedyToken : {};
    expect(await startUntilRefused(url, options)).toMatchObject({
      started: 10,
      sentence: expect.stringContaining('all 10'),
    });
  });
});

describe('behind a proxy that is trusted', () => {
  it('callers are counted by the address that it tells', async () => {
    const { url } = await serve({ trustedProxies: 1, limits: { maxSessions: 10 } });
    const from = (address: string): ConnectOptions => ({ headers: { 'x-forwarded-for': `6.6.6.6, ${address}` } });
    expect(await startUntilRefused(url, from('203.0.113.1'))).toMatchObject({ started: 9 });
    expect(await startUntilRefused(url, from('203.0.113.2'))).toMatchObject({ started: 5 });
  });

  it('a header that nobody is trusted to write changes nothing', async () => {
    const { url } = await serve({ limits: { maxSessions: 3 } });
    const from = (address: string): ConnectOptions => ({ headers: { 'x-forwarded-for': address } });
    expect(await startUntilRefused(url, from('203.0.113.1'))).toMatchObject({ started: 3 });
  });
});

describe('limits of a token', () => {
  it('are kept where they are set', async () => {
    const { url } = await serveTwo({ maxSessionsPerToken: 2, maxConnectionsPerToken: 3 });
    expect(await startUntilRefused(url, greedyToken)).toEqual({
      started: 2,
      code: 4429,
      sentence: 'this token has 2 sessions; max_sessions_per_token is 2',
    });
    await connect(url, greedyToken);
    const refused = await refusedUpgrade(url, greedyToken);
    expect([refused.status, refused.headers['retry-after'], refused.body]).toEqual([
      429,
      '5',
      expect.stringContaining('max_connections_per_token is 3'),
    ]);
    await start(url, otherToken);
  });

  it('charge bad starts to who sends them, and to nobody else', async () => {
    const server = await serveTwo({ startsPerSecond: 0.1, startBurst: 4 });
    const codes: number[] = [];
    for (let i = 0; i < 4; i++) {
      const client = await connect(server.url, greedyToken);
      client.send(startMessage({ reference: { text: '?!' } }));
      codes.push((await client.closed).code);
    }
    expect(codes).toEqual([4422, 4422, 4429, 4429]);
    // Nor to a right one of the same token.
    await start(server.url, greedyToken);
    await start(server.url, otherToken);
    await start(server.url, otherToken);
    const metrics = await (await fetch(`http://127.0.0.1:${server.port}/metrics`, otherToken)).text();
    expect(metrics).toContain('speechfb_limits_met_total{limit="starts_per_second"} 2');
  });

  it('let right resumes through, however many are wrong', async () => {
    const server = await serve({ limits: { resumesPerSecond: 0.1, resumeBurst: 3 } });
    const client = await start(server.url);
    const { session_id, resume_token } = client.of('ready')[0]!;
    const codes: number[] = [];
    for (let i = 0; i < 4; i++) {
      const thief = await connect(server.url);
      thief.send({ type: 'resume', session_id, resume_token: `guess ${i}`, last_event_id: 0 });
      codes.push((await thief.closed).code);
    }
    expect(codes).toEqual([4401, 4401, 4401, 4429]);
    client.cut();
    const again = await connect(server.url);
    again.send({ type: 'resume', session_id, resume_token, last_event_id: 0 });
    expect(await again.until('ready')).toMatchObject({ resumed: true });
  });
});

async function start(url: string, options: ConnectOptions = {}): Promise<TestClient> {
  const client = await connect(url, options);
  client.send(startMessage());
  await client.until('ready');
  return client;
}

/** So many sessions, one after the other. */
async function begun(url: string, options: ConnectOptions, count: number): Promise<TestClient[]> {
  const clients: TestClient[] = [];
  while (clients.length < count) clients.push(await start(url, options));
  return clients;
}

/** Starts sessions, one after the other, until one is refused. */
async function startUntilRefused(
  url: string,
  options: ConnectOptions,
): Promise<{ started: number; code: number; sentence: string }> {
  for (let started = 0; ; started++) {
    const client = await connect(url, options).catch(() => undefined);
    if (!client) {
      const { status, body } = await refusedUpgrade(url, options);
      return { started, code: status!, sentence: body };
    }
    client.send(startMessage());
    const isReady = await Promise.race([
      client.until('ready').then(
        () => true,
        () => false,
      ),
      client.closed.then(() => false),
    ]);
    if (isReady) continue;
    return { started, code: (await client.closed).code, sentence: client.of('error')[0]!.message };
  }
}
