import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { ServerEvent } from '../../../src/protocol/server-messages.ts';
import { parseTokens } from '../../../src/server/admission/tokens.ts';
import { localhostTls } from '../../kit/localhost.ts';
import { connect, finalPhones, refusedUpgrade, startMessage, type TestClient } from '../../kit/server/client.ts';
import { type Gateways, serveSeveral } from '../../kit/server/gateways.ts';

type Ready = Extract<ServerEvent, { type: 'ready' }>;

describe('several gateways behind one port', () => {
  it('share the sessions evenly, and name themselves in their ids', async () => {
    const { url } = await serveSeveral(3);
    const clients: TestClient[] = [];
    for (let i = 0; i < 9; i++) clients.push(await started(url));
    const gateways = clients.map((client) => holderOf(client));
    expect(gateways.sort()).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3]);
  });

  it.each(['ws', 'wss'])('find a session over %s wherever it is, and lose and double nothing', async (scheme) => {
    const server = await serveSeveral(2, scheme === 'wss' ? { tls: localhostTls } : {});
    expect(server.url).toMatch(new RegExp(`^${scheme}:`));
    const whole = await started(server.url);
    whole.frames(0, 99);
    whole.send({ type: 'close' });
    await whole.closed;
    for (const moves of [0, 1, 2, 3]) {
      const first = await started(server.url);
      const ready = first.of('ready')[0]!;
      const seen: ServerEvent[] = [];
      let client = first;
      for (let part = 0; part <= moves; part++) {
        client.frames(part * 20, part * 20 + 19);
        await client.until('phoneme_feedback');
        client.cut();
        seen.push(...client.events);
        client = await at(server, part % 2 === 0 ? other(ready) : holderOf(first));
        client.send(resume(ready, seen));
        expect(await client.until('ready')).toMatchObject({ resumed: true, next_seq: part * 20 + 20 });
      }
      client.frames((moves + 1) * 20, 99);
      client.send({ type: 'close' });
      expect((await client.closed).code).toBe(1000);
      seen.push(...client.events);
      const ids = seen.filter((event) => event.type !== 'ready').map((event) => event.event_id);
      expect(new Set(ids).size).toBe(ids.length);
      expect(finalPhones(seen)).toEqual(finalPhones(whole.events));
      expect(seen.filter(({ type }) => type === 'utterance_final')).toHaveLength(1);
    }
  });

  it('pass pings, pongs and closes through, and what was sent before the session answered', async () => {
    const server = await serveSeveral(2);
    const first = await started(server.url);
    const ready = first.of('ready')[0]!;
    first.cut();
    const client = await at(server, other(ready));
    client.send(resume(ready, first.events));
    client.frames(0, 39);
    client.pings(3);
    client.send({ type: 'finalize', marker: 'm' });
    expect(await client.until('utterance_final')).toMatchObject({ marker: 'm' });
    await expect.poll(() => client.pongs()).toBe(3);
    const newer = await at(server, other(ready));
    newer.send(resume(ready, client.events));
    await newer.until('ready');
    expect((await client.closed).code).toBe(4409);
    newer.socket.close(1000);
    await newer.closed;
    await expect.poll(() => server.gateway(holderOf(first)).server.stats().detached).toBe(1);
  });

  it.each([
    ['a wrong token', { resume_token: 'wrong' }, 'unauthorized', 4401],
    ['an event that was never sent', { last_event_id: 1_000_000 }, 'invalid_message', 4400],
    ['an unknown session of that gateway', { session_id: '1.unknown' }, 'session_not_found', 4404],
    ['a gateway that does not exist', { session_id: '9.unknown' }, 'session_not_found', 4404],
    ['no gateway', { session_id: 'unknown' }, 'session_not_found', 4404],
  ] as const)('refuse a resume elsewhere with %s', async (_, changes, code, close) => {
    const server = await serveSeveral(2);
    const first = await started(server.url);
    const ready = first.of('ready')[0]!;
    const client = await at(server, other(ready));
    client.send({ ...resume(ready, first.events), ...changes });
    expect((await client.closed).code).toBe(close);
    expect(client.of('error')).toMatchObject([{ code }]);
    first.send({ type: 'close' });
    expect((await first.closed).code).toBe(1000);
  });

  it('keep a session from another token, wherever it asks', async () => {
    const tokens = parseTokens('anna 0123456789abcdef\nben fedcba9876543210', 'tokens');
    const server = await serveSeveral(2, { tokens });
    const anna = { headers: { authorization: 'Bearer 0123456789abcdef' } };
    const ben = { headers: { authorization: 'Bearer fedcba9876543210' } };
    const first = await started(server.url, anna);
    const ready = first.of('ready')[0]!;
    const thief = await at(server, other(ready), ben);
    thief.send(resume(ready, first.events));
    expect((await thief.closed).code).toBe(4403);
    const owner = await at(server, other(ready), anna);
    owner.send(resume(ready, first.events));
    await owner.until('ready');
  });

  it('answer a start that is sent again with the session that it began elsewhere', async () => {
    const server = await serveSeveral(2);
    const start = startMessage({ idempotency_key: '1b4e28ba-2fa1-4d3e-883f-0016d3cca427' });
    const first = await connect(server.url, { autoPong: false });
    first.send(start);
    const ready = await first.until('ready');
    first.cut();
    const again = await at(server, other(ready));
    again.send(start);
    expect(await again.until('ready')).toMatchObject({ session_id: ready.session_id });
    const different = await at(server, other(ready));
    different.send({ ...start, granularity: 'word' });
    await different.closed;
    expect(different.of('error')).toMatchObject([{ code: 'session_conflict' }]);
  });

  it('speak the protocols of others, whose start and sound come at once', async () => {
    const { url } = await serveSeveral(2);
    const said: string[] = [];
    const socket = new WebSocket(new URL('/v1/listen?encoding=linear16&sample_rate=16000&reference=ab+ba', url));
    socket.on('message', (data) => said.push(String(data)));
    await once(socket, 'open');
    for (let i = 0; i < 40; i++) socket.send(Buffer.alloc(640));
    socket.send('{"type":"CloseStream"}');
    await once(socket, 'close');
    expect(said.join('\n')).toMatch(/"is_final":true/);
    expect(said.join('\n')).toMatch(/"transcript":"ab ba"/);
  });

  it('read sound that comes right behind the start, in order', async () => {
    const { url } = await serveSeveral(2);
    const client = await connect(url);
    client.send(startMessage());
    client.frames(0, 39);
    client.send({ type: 'close', last_seq: 39 });
    expect((await client.closed).code).toBe(1000);
    expect(finalPhones(client.events)).toHaveLength(4);
  });
});

describe('the limits of a server with several gateways', () => {
  it('hold for all of them: no session more than max_sessions, and none less', async () => {
    const server = await serveSeveral(3, { limits: { maxSessions: 7 } });
    const clients = await Promise.all(Array.from({ length: 20 }, () => connect(server.url)));
    for (const client of clients) client.send(startMessage());
    const outcomes = await Promise.all(
      clients.map((client) => Promise.race([client.until('ready').then(() => 'ready'), client.closed.then(String)])),
    );
    expect(outcomes.filter((outcome) => outcome === 'ready')).toHaveLength(7);
    const refused = clients.find((client) => client.of('error').length > 0)!;
    expect(refused.of('error')).toMatchObject([
      { code: 'server_busy', message: expect.stringMatching(/all 7 sessions/) },
    ]);
    const inside = clients.filter((client) => client.of('ready').length > 0);
    inside[0]!.send({ type: 'close' });
    await inside[0]!.closed;
    await expect.poll(async () => (await started(server.url).catch(() => undefined))?.of('ready').length ?? 0).toBe(1);
  });

  it('hold for one token, whose share is of the whole', async () => {
    const tokens = parseTokens('anna 0123456789abcdef\nben fedcba9876543210', 'tokens');
    const anna = { headers: { authorization: 'Bearer 0123456789abcdef' } };
    const ben = { headers: { authorization: 'Bearer fedcba9876543210' } };
    const server = await serveSeveral(2, { tokens, limits: { maxSessions: 20 } });
    const begun: TestClient[] = [];
    for (let i = 0; i < 18; i++) begun.push(await started(server.url, anna));
    expect(await refusedUpgrade(server.url, anna)).toMatchObject({
      status: 503,
      body: expect.stringMatching(/place_share/),
    });
    await started(server.url, ben);
    // A session that waits for its client goes when somebody with fewer comes, whichever gateway has it.
    begun[4]!.cut();
    const detached = (number: number): number => server.gateway(number).server.stats().detached;
    await expect.poll(() => detached(1) + detached(2)).toBe(1);
    await expect.poll(() => started(server.url, ben).then(holderOf, () => 0)).not.toBe(0);
    expect(detached(1) + detached(2)).toBe(0);
  });

  it('hold for sockets, and a socket without a session goes when somebody with fewer comes', async () => {
    const tokens = parseTokens('anna 0123456789abcdef\nben fedcba9876543210', 'tokens');
    const anna = { headers: { authorization: 'Bearer 0123456789abcdef' } };
    const server = await serveSeveral(2, { tokens, limits: { maxConnections: 10 } });
    const idle: TestClient[] = [];
    for (let i = 0; i < 9; i++) idle.push(await connect(server.url, anna));
    expect(await refusedUpgrade(server.url, anna)).toMatchObject({
      status: 503,
      body: expect.stringMatching(/place_share/),
    });
    for (let i = 0; i < 3; i++) {
      await started(server.url, { headers: { authorization: 'Bearer fedcba9876543210' } });
    }
    await expect.poll(() => idle.filter(({ socket }) => socket.readyState === socket.CLOSED).length).toBe(2);
  });

  it('hold for starts a second', async () => {
    const server = await serveSeveral(2, { limits: { startsPerSecond: 0.01, startBurst: 4 } });
    const clients = await Promise.all(Array.from({ length: 8 }, () => connect(server.url)));
    for (const client of clients) client.send(startMessage());
    await expect.poll(() => clients.flatMap((client) => client.of('error'))).toHaveLength(4);
    expect(clients.flatMap((client) => client.of('error'))[0]).toMatchObject({ code: 'rate_limited' });
    expect(clients.flatMap((client) => client.of('ready'))).toHaveLength(4);
  });

  it('charge a caller at every gateway for what it took at one', async () => {
    const server = await serveSeveral(2, { limits: { resumesPerSecond: 0.01, resumeBurst: 4 } });
    const codes: string[] = [];
    const ask = async (gateway: number): Promise<void> => {
      const client = await at(server, gateway);
      client.send({ type: 'resume', session_id: `${gateway}.none`, resume_token: 'none', last_event_id: 0 });
      await client.closed;
      codes.push(client.of('error')[0]!.code);
    };
    for (let i = 0; i < 4; i++) await ask(1);
    expect(codes).toEqual(Array.from({ length: 4 }, () => 'session_not_found'));
    await expect
      .poll(async () => {
        await ask(2);
        return codes.at(-1);
      })
      .toBe('rate_limited');
    expect(codes.filter((code) => code === 'session_not_found').length).toBeLessThan(8);
  });

  it('close what brings no request, as one process does', async () => {
    const server = await serveSeveral(2, { limits: { handshakeTimeoutMs: 50 } });
    const socket = connectTcp(Number(new URL(server.url).port), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.write('GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1.1 408 /);
  });
});

describe('a gateway that dies', () => {
  it('takes its own sessions along and no others, and is started again', async () => {
    const server = await serveSeveral(2);
    const mine = await started(server.url);
    const theirs = await started(server.url);
    const ready = mine.of('ready')[0]!;
    const dead = holderOf(mine);
    const before = server.gateway(dead);
    before.kill();
    expect((await mine.closed).code).toBe(1006);
    const again = await connect(server.url);
    again.send(resume(ready, mine.events));
    await again.closed;
    expect(again.of('error')).toMatchObject([{ code: 'session_not_found', retryable: false }]);
    theirs.frames(0, 39);
    theirs.send({ type: 'close' });
    expect((await theirs.closed).code).toBe(1000);
    expect(finalPhones(theirs.events)).toHaveLength(4);
    await expect.poll(() => metrics(server)).toMatch(new RegExp(`speechfb_gateway_ready\\{gateway="${dead}"\\} 1`));
    expect(server.gateway(dead)).not.toBe(before);
    const late = await at(server, dead);
    late.send(resume(ready, mine.events));
    await late.closed;
    expect(late.of('error')).toMatchObject([{ code: 'session_not_found' }]);
    expect(await metrics(server)).toMatch(new RegExp(`speechfb_gateway_restarts_total\\{gateway="${dead}"\\} 1`));
  });

  it('gives back the places that it had', async () => {
    const server = await serveSeveral(2, { limits: { maxSessions: 4 } });
    const clients: TestClient[] = [];
    for (let i = 0; i < 4; i++) clients.push(await started(server.url));
    server.gateway(1).kill();
    await expect.poll(() => clients.filter(({ socket }) => socket.readyState === socket.CLOSED)).toHaveLength(2);
    await started(server.url);
    await started(server.url);
    expect(await refusedUpgrade(server.url)).toMatchObject({
      status: 503,
      body: expect.stringMatching(/all 4 sessions/),
    });
  });

  it('takes nothing from the counters', async () => {
    const server = await serveSeveral(2);
    for (let i = 0; i < 4; i++) await started(server.url);
    const total = /speechfb_messages_total\{kind="start"\} 4/;
    expect(await metrics(server)).toMatch(total);
    server.gateway(1).kill();
    await expect.poll(() => metrics(server)).toMatch(/speechfb_gateway_restarts_total\{gateway="1"\} 1/);
    expect(await metrics(server)).toMatch(total);
    expect(await metrics(server)).toMatch(/speechfb_sessions\{state="streaming"\} 2/);
  });
});

describe('a gateway that stands still', () => {
  it('is handed nothing while others are there, and is ended and started again', async () => {
    const server = await serveSeveral(2, { limits: { silentGatewayMs: 300, hungGatewayMs: 3000 } });
    const before = server.gateway(1);
    const own = await at(server, 1);
    before.pause();
    const clients = await Promise.all(Array.from({ length: 6 }, () => started(server.url)));
    expect(clients.map((client) => holderOf(client))).toEqual(Array.from({ length: 6 }, () => 2));
    expect((await own.closed).code).toBe(1006);
    await expect.poll(() => metrics(server)).toMatch(/speechfb_gateway_ready\{gateway="1"\} 1/);
    expect(server.gateway(1)).not.toBe(before);
    await at(server, 1);
  });

  it('keeps its sessions when it goes on in time', async () => {
    const server = await serveSeveral(2, { limits: { silentGatewayMs: 200, hungGatewayMs: 60_000 } });
    const client = await at(server, 1);
    client.send(startMessage());
    await client.until('ready');
    const goOn = server.gateway(1).pause();
    await expect.poll(() => metrics(server)).toMatch(/speechfb_gateway_ready\{gateway="1"\} 0/);
    goOn();
    await expect.poll(() => metrics(server)).toMatch(/speechfb_gateway_ready\{gateway="1"\} 1/);
    client.frames(0, 39);
    client.send({ type: 'close' });
    expect((await client.closed).code).toBe(1000);
  });
});

describe('a drain of several gateways', () => {
  it('gives every session its final, those that come back to another gateway among them', async () => {
    const server = await serveSeveral(2);
    const clients = await Promise.all(Array.from({ length: 6 }, () => started(server.url)));
    for (const client of clients) client.frames(0, 39);
    await Promise.all(clients.map((client) => client.until('phoneme_feedback')));
    const away = clients[0]!;
    away.cut();
    const back = await at(server, other(away.of('ready')[0]!));
    back.send(resume(away.of('ready')[0]!, away.events));
    await back.until('ready');
    const report = await server.supervisor.drain();
    expect(report).toEqual({ sessions: 6, finished: 6 });
    for (const client of [back, ...clients.slice(1)]) {
      expect((await client.closed).code).toBe(1001);
      expect(client.of('go_away')).toHaveLength(1);
      expect(client.of('utterance_final')).toMatchObject([{ reason: 'drain' }]);
    }
    expect(finalPhones([...away.events, ...back.events])).toEqual(finalPhones(clients[1]!.events));
    const refused = connectTcp(Number(new URL(server.url).port), '127.0.0.1');
    expect((await once(refused, 'error'))[0]).toMatchObject({ code: 'ECONNREFUSED' });
  });
});

/** A client that the gateway of this number has taken. */
async function at(server: Gateways, gateway: number, options: Parameters<typeof connect>[1] = {}): Promise<TestClient> {
  const taken = (): number => server.gateway(gateway).server.stats().sockets;
  const wrong: TestClient[] = [];
  try {
    for (let attempt = 0; attempt < 200; attempt++) {
      const before = taken();
      const client = await connect(server.url, options);
      if (taken() > before) return client;
      wrong.push(client);
    }
    throw new Error(`gateway ${gateway} takes no connections`);
  } finally {
    for (const client of wrong) client.cut();
  }
}

async function started(url: string, options: Parameters<typeof connect>[1] = {}): Promise<TestClient> {
  const client = await connect(url, options);
  client.send(startMessage());
  await client.until('ready');
  return client;
}

function holderOf(client: TestClient): number {
  return Number(client.of('ready')[0]!.session_id.split('.')[0]);
}

/** Of two gateways, the one that does not have this session. */
function other({ session_id }: Ready): number {
  return session_id.startsWith('1.') ? 2 : 1;
}

function resume({ session_id, resume_token }: Ready, events: readonly ServerEvent[]) {
  const last_event_id = Math.max(...events.map((event) => event.event_id));
  return { type: 'resume', session_id, resume_token, last_event_id } as const;
}

async function metrics({ url }: Gateways): Promise<string> {
  return await (await fetch(new URL('/metrics', url.replace(/^ws/, 'http')))).text();
}
