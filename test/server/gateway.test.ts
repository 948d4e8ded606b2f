import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import type { AcousticEngine } from '../../src/acoustic/engine/types.ts';
import { parseTokens } from '../../src/server/admission/tokens.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { localhostTls } from '../kit/localhost.ts';
import { connect, refusedUpgrade, startMessage } from '../kit/server/client.ts';
import { scriptedEngine } from '../kit/server/scripted.ts';
import { serve } from '../kit/server/serve.ts';

const token = '0123456789abcdef';
const tokens = () => parseTokens(`anna ${token}\nben fedcba9876543210\n`, 'tokens');

describe('a server with tokens', () => {
  it.each([
    ['in a header', { headers: { authorization: `Bearer ${token}` } }],
    ['as a subprotocol', { protocols: ['speechfb.v1', `bearer.${token}`] }],
  ])('takes one %s', async (_, options) => {
    const client = await connect((await serve({ tokens: tokens() })).url, options);
    expect(client.socket.protocol).toBe('speechfb.v1');
    client.send(startMessage());
    await client.until('ready');
  });

  it.each([
    ['none', {}, /a token is needed.* \[unauthorized\]/],
    ['an unknown one', { headers: { authorization: 'Bearer nobody' } }, /the token is unknown/],
    ['an unknown one of a page', { protocols: ['speechfb.v1', 'bearer.nobody'] }, /the token is unknown/],
  ])('answers %s with 401, and opens no WebSocket', async (_, options, sentence) => {
    const server = await serve({ tokens: tokens() });
    const { status, headers, body } = await refusedUpgrade(server.url, options);
    expect([status, headers['www-authenticate'], body]).toEqual([
      401,
      'Bearer realm="speechfb"',
      expect.stringMatching(sentence),
    ]);
    expect(server.stats().sockets).toBe(0);
  });

  it('has room for who has one, however many come without', async () => {
    const server = await serve({ tokens: tokens(), limits: { maxConnections: 2 } });
    const strangers = await Promise.all(Array.from({ length: 50 }, () => refusedUpgrade(server.url)));
    expect(new Set(strangers.map(({ status }) => status))).toEqual(new Set([401]));
    const headers = { authorization: `Bearer ${token}` };
    const anna = await connect(server.url, { headers });
    anna.send(startMessage());
    await anna.until('ready');
    const greedy = await refusedUpgrade(server.url, { headers });
    expect([greedy.status, greedy.body]).toEqual([503, expect.stringContaining('(place_share)')]);
    const ben = { headers: { authorization: 'Bearer fedcba9876543210' } };
    await connect(server.url, ben);
    const full = await refusedUpgrade(server.url, ben);
    expect([full.status, full.headers['retry-after'], full.body]).toEqual([
      503,
      '5',
      expect.stringContaining('max_connections'),
    ]);
    const url = httpUrl(server, '/metrics');
    const metrics = await (await fetch(url, { headers })).text();
    expect(metrics).toContain('speechfb_refused_requests_total{reason="token"} 50');
    expect(metrics).toContain('speechfb_refused_requests_total{reason="connections"} 1');
  });

  it('tells a page over plain HTTP why its WebSocket would be refused', async () => {
    const origins = ['https://class.example'];
    const url = httpUrl(await serve({ tokens: tokens(), origins }), '/v1/stream');
    const origin = 'https://class.example';
    const asked = await fetch(url, { headers: { origin, authorization: 'Bearer nobody' } });
    expect([asked.status, asked.headers.get('access-control-allow-origin'), await asked.text()]).toEqual([
      401,
      origin,
      expect.stringContaining('the token is unknown'),
    ]);
    const preflight = await fetch(url, { method: 'OPTIONS', headers: { origin } });
    expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([200, 'authorization']);
    const good = await fetch(url, { headers: { origin, authorization: `Bearer ${token}` } });
    expect(good.status).toBe(426);
    const stranger = await fetch(url, { headers: { origin: 'https://evil.example' } });
    expect([stranger.status, stranger.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  });

  it('gives no one the session of another', async () => {
    const { url } = await serve({ tokens: tokens() });
    const anna = await connect(url, { headers: { authorization: `Bearer ${token}` } });
    anna.send(startMessage());
    const { session_id, resume_token } = await anna.until('ready');
    const ben = await connect(url, { headers: { authorization: 'Bearer fedcba9876543210' } });
    ben.send({ type: 'resume', session_id, resume_token, last_event_id: 0 });
    expect((await ben.closed).code).toBe(4403);
    anna.send({ type: 'close' });
    expect((await anna.closed).code).toBe(1000);
  });

  it('shows its metrics only to who has one', async () => {
    const url = httpUrl(await serve({ tokens: tokens() }), '/metrics');
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
  });
});

describe('a page of another host', () => {
  it('may not connect', async () => {
    const server = await serve();
    const { status, body } = await refusedUpgrade(server.url, { headers: { origin: 'https://evil.example' } });
    expect([status, body]).toEqual([
      403,
      expect.stringMatching(/pages of https:\/\/evil\.example may not.*\[forbidden\]/),
    ]);
    expect(server.stats().sockets).toBe(0);
  });

  it('may when it is listed', async () => {
    const { url } = await serve({ origins: ['https://class.example'] });
    const client = await connect(url, { headers: { origin: 'https://class.example' } });
    client.send(startMessage());
    await client.until('ready');
  });
});

describe('a name that this machine does not have', () => {
  const paths = ['/healthz', '/readyz', '/metrics', '/v1/stream', '/elsewhere'];
  it.each(paths)('is not answered at %s', async (path) => {
    const { status, body } = await ask(await serve(), path, { host: 'evil.example:8090' });
    expect([status, body]).toEqual([421, expect.stringContaining('does not go by the name \\"evil.example:8090\\"')]);
  });

  it('opens no WebSocket and makes no fault', async () => {
    const server = await serve({ faultInjection: true });
    const refused = await refusedUpgrade(server.url, { headers: { host: 'evil.example' } });
    expect([refused.status, refused.body]).toEqual([421, expect.stringContaining('--allow-host')]);
    expect((await ask(server, '/faults/inference', { host: 'evil.example' }, 'POST')).status).toBe(421);
  });

  it.each(['localhost', 'LOCALHOST.:1', '127.0.0.1:9', '[::1]', 'class.example:443'])('may be %s', async (host) => {
    expect((await ask(await serve({ hosts: ['class.example'] }), '/metrics', { host })).status).toBe(200);
  });
});

describe('HTTP beside the stream', () => {
  it.each([
    ['/healthz', 200, '{"status":"ok"}'],
    ['/livez', 200, '{"status":"alive"}'],
    ['/readyz', 200, '{"status":"ready"}'],
    ['/v1/stream', 426, 'this is a WebSocket'],
    ['/elsewhere', 404, 'there is no /elsewhere; there are /healthz, /readyz, /metrics, /v1/stream'],
  ])('answers %s with %i', async (path, status, body) => {
    const response = await fetch(httpUrl(await serve(), path));
    expect(response.status).toBe(status);
    expect(await response.text()).toContain(body);
  });

  it('takes only GET and HEAD', async () => {
    const server = await serve();
    expect((await fetch(httpUrl(server, '/healthz'), { method: 'POST' })).status).toBe(405);
    const head = await fetch(httpUrl(server, '/healthz'), { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('is not ready while the model warms up, and refuses sessions until then', async () => {
    let warm: (engine: AcousticEngine) => void = () => {};
    const engine = new Promise<AcousticEngine>((resolve) => {
      warm = resolve;
    });
    const server = await serve({ engine });
    const response = await fetch(httpUrl(server, '/readyz'));
    expect([response.status, await response.json()]).toEqual([
      503,
      { status: 'not_ready', reason: 'the model warms up' },
    ]);
    const early = await connect(server.url);
    early.send(startMessage());
    expect((await early.closed).code).toBe(4503);
    warm(scriptedEngine());
    await server.ready;
    expect((await fetch(httpUrl(server, '/readyz'))).status).toBe(200);
  });

  it('stays ready when the model has lost its device, and says what runs it', async () => {
    const lostDevice = { device: 'webgpu', reason: '[Device] is lost.' };
    const server = await serve({ engine: { ...scriptedEngine(), provider: 'cpu', lostDevice } });
    const response = await fetch(httpUrl(server, '/readyz'));
    expect([response.status, await response.json()]).toEqual([
      200,
      { status: 'ready', reason: 'webgpu was lost; the CPU goes on' },
    ]);
    const metrics = await (await fetch(httpUrl(server, '/metrics'))).text();
    expect(metrics).toContain('speechfb_engine_device{device="webgpu"} 0');
    expect(metrics).toContain('speechfb_engine_device{device="cpu"} 1');
    expect(metrics).toContain('speechfb_engine_fallbacks_total 1');
  });

  it('counts what happens: messages, frames, events, stages, sessions, refusals', async () => {
    const server = await serve();
    const client = await connect(server.url);
    client.send(startMessage({ reference: { text: 'secretword' } }));
    client.frames(0, 9);
    client.frames(5, 9);
    await client.until('phoneme_feedback');
    const bad = await connect(server.url);
    bad.raw('{');
    await bad.closed;
    const metrics = await (await fetch(httpUrl(server, '/metrics'))).text();
    for (const line of [
      'speechfb_messages_total{kind="audio"} 15',
      'speechfb_frames_total{outcome="duplicate"} 5',
      'speechfb_events_total{type="ready"} 1',
      'speechfb_sessions{state="streaming"} 1',
      'speechfb_refusals_total{code="invalid_message"} 1',
      'speechfb_stage_seconds_count{stage="scoring"} 2',
      'speechfb_engine_batch_size 1',
    ]) {
      expect(metrics).toContain(line);
    }
    expect(metrics).not.toContain('secretword');
  });
});

describe('a server with TLS', () => {
  it('speaks wss', async () => {
    const server = await serve({ tls: localhostTls, host: '0.0.0.0' });
    expect(server.url).toMatch(/^wss:/);
    const client = await connect(server.url);
    client.send(startMessage());
    await client.until('ready');
  });

  it('needs a certificate and a key that are some', async () => {
    await expect(serve({ tls: { certificate: 'none', key: 'none' } })).rejects.toThrow(/has no certificate: it is PEM/);
  });
});

describe('the log', () => {
  it('is JSON, and for people on a terminal', () => {
    const lines: string[] = [];
    const write = (text: string) => lines.push(text);
    createLog('info', { write }).info({ port: 8090 }, 'listening');
    createLog('info', { write, isTTY: true }).warn({ port: 8090 }, 'listening');
    createLog('error', { write }).info({}, 'unheard');
    expect(JSON.parse(lines[0]!)).toMatchObject({ level: 30, msg: 'listening', port: 8090 });
    expect(lines[1]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} warn {2}listening port=8090\n$/);
    expect(lines).toHaveLength(2);
  });

  it('says once a second what strangers can cause, and how often it was left unsaid', async () => {
    const lines: string[] = [];
    const log = createLog('warn', { write: (text: string) => lines.push(text) });
    const server = await serve({ log });
    const clients = await Promise.all(Array.from({ length: 30 }, () => connect(server.url)));
    for (const client of clients) client.raw(Buffer.alloc(2_000_000));
    for (const client of clients) await client.closed;
    const said = () => lines.map((line): { msg: string; suppressed?: number } => JSON.parse(line));
    // A slow machine needs seconds for them; unthrottled there would be thirty.
    expect(said().length).toBeLessThan(15);
    const count = () => said().reduce((total, { suppressed = 0 }) => total + 1 + suppressed, 0);
    await expect.poll(count).toBe(30);
    expect(new Set(said().map(({ msg }) => msg))).toEqual(new Set(['a socket broke the WebSocket protocol']));
  });

  it('never holds what was read, by whom, or how well', async () => {
    const lines: string[] = [];
    const log = createLog('debug', { write: (text: string) => lines.push(text) });
    const server = await serve({ log, tokens: tokens() });
    const client = await connect(server.url, { headers: { authorization: `Bearer ${token}` } });
    client.send(startMessage({ reference: { text: 'secretword' } }));
    client.frames(0, 9);
    client.raw('{"type":"secretword"');
    await client.closed;
    expect(lines.join('')).not.toMatch(/secretword|0123456789abcdef|anna/);
  });
});

/** Asks with headers that fetch does not let one set. */
async function ask(
  { port }: { port: number },
  path: string,
  headers: Record<string, string>,
  method = 'GET',
): Promise<{ status: number | undefined; body: string }> {
  const sent = request({ host: '127.0.0.1', port, path, method, headers }).end();
  const [response]: IncomingMessage[] = await once(sent, 'response');
  return { status: response!.statusCode, body: await text(response!) };
}

function httpUrl(server: { port: number }, path: string): string {
  return `http://127.0.0.1:${server.port}${path}`;
}
