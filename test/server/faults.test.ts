import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineFault } from '../../src/acoustic/engine/types.ts';
import { parseTokens } from '../../src/server/admission/tokens.ts';
import type { RunningServer, ServerOptions } from '../../src/server/gateway/server.ts';
import { connect, startMessage } from '../kit/server/client.ts';
import {
  essence,
  finalOf,
  finalsInFeedback,
  lastFrame,
  readClipWhole,
  sendClip,
  startReading,
} from '../kit/server/reader.ts';
import { openShippedModel, readClip } from '../kit/server/real.ts';
import { scriptedEngine, scriptedScoring } from '../kit/server/scripted.ts';
import { serve } from '../kit/server/serve.ts';

describe('POST /faults/inference', () => {
  it.each([
    ['stall the model', { action: 'stall', ms: 250 }],
    ['kill the model', { action: 'kill' }],
    ['fail a run', { action: 'fail' }],
    ['slow its runs down', { action: 'slow', ms: 250, times: 3 }],
  ])('may %s where it is allowed', async (_, fault) => {
    const { server, faults } = await disturbable();
    const response = await inject(server, fault);
    expect([response.status, await response.json()]).toEqual([202, fault]);
    expect(faults).toEqual([fault]);
  });

  it('is refused unless the server was started for it', async () => {
    const { server, faults } = await disturbable({ faultInjection: false });
    const response = await inject(server, { action: 'kill' });
    expect([response.status, await response.text()]).toEqual([
      403,
      expect.stringContaining('without --fault-injection'),
    ]);
    expect(faults).toEqual([]);
  });

  it.each([
    ['no JSON', '{'],
    ['another action', '{"action":"explode"}'],
    ['a stall without an end', '{"action":"stall"}'],
    ['a stall of nothing', '{"action":"stall","ms":0}'],
    ['a stall of more than a minute', '{"action":"stall","ms":60001}'],
    ['a model that is slow by nothing', '{"action":"slow","ms":250}'],
    ['a model that is slow by too much', '{"action":"slow","ms":250,"times":101}'],
    ['an unknown key', '{"action":"kill","ms":5}'],
    ['more than any fault needs', `{"action":"kill"${' '.repeat(2000)}}`],
  ])('does not take %s', async (_, body) => {
    const { server, faults } = await disturbable();
    const response = await post(server, body);
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('1 to 60000')]);
    expect(faults).toEqual([]);
  });

  it('needs a token where there are some, and is no page of another host', async () => {
    const tokens = parseTokens('anna 0123456789abcdef\n', 'tokens');
    const { server, faults } = await disturbable({ tokens });
    const authorization = 'Bearer 0123456789abcdef';
    expect((await post(server, '{"action":"kill"}')).status).toBe(401);
    const page = { authorization, origin: 'https://evil.example' };
    expect((await post(server, '{"action":"kill"}', page)).status).toBe(403);
    expect((await post(server, '{"action":"kill"}', { authorization })).status).toBe(202);
    expect(faults).toEqual([{ action: 'kill' }]);
  });

  it.each([
    ['through a proxy', { 'x-forwarded-for': '192.0.2.1' }],
    ['through a proxy that says so in another way', { via: '1.1 proxy' }],
    ['from a page of this machine', { origin: 'http://localhost:3000' }],
  ])('is not taken %s', async (_, headers) => {
    const { server, faults } = await disturbable();
    expect((await post(server, '{"action":"kill"}', headers)).status).toBe(403);
    expect(faults).toEqual([]);
  });

  it.each([{ hosts: ['class.example'] }, { trustedProxies: 1 }])('needs tokens behind a proxy: %o', async (changes) => {
    await expect(disturbable(changes)).rejects.toThrow(/anyone behind the proxy/);
    await disturbable({ ...changes, tokens: parseTokens('anna 0123456789abcdef', 'tokens') });
  });

  it('says that it takes POST alone', async () => {
    const { server } = await disturbable();
    const response = await fetch(httpUrl(server, '/faults/inference'));
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('is refused while the model warms up', async () => {
    const { server } = await disturbable({ engine: new Promise(() => {}) });
    expect((await inject(server, { action: 'kill' })).status).toBe(503);
  });
});

describe('a thread that has said nothing for long', () => {
  const silent = { waitP95Ms: 1, busy: 0.1, silentMs: 3001 };
  it.each<[string, Partial<ServerOptions>, string]>([
    ['the model', { engine: scriptedEngine({ silentMs: 2001 }) }, 'the model has said nothing for 2001 ms'],
    [
      'scoring',
      { scoring: { ...scriptedScoring, stats: () => silent } },
      'a scoring thread has said nothing for 3001 ms',
    ],
  ])('%s: the server takes no session and is not ready', async (_, parts, reason) => {
    const server = await serve(parts);
    const ready = await fetch(httpUrl(server, '/readyz'));
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining(reason)]);
    const client = await connect(server.url);
    client.send(startMessage());
    expect((await client.closed).code).toBe(4503);
    expect(client.of('error')).toMatchObject([
      { code: 'server_busy', retryable: true, retry_after_ms: expect.any(Number) },
    ]);
  });
});

describe('the real model', () => {
  let shipped: Awaited<ReturnType<typeof openShippedModel>>;
  beforeAll(async () => {
    shipped = await openShippedModel();
  });
  afterAll(() => shipped?.close());
  const serveModel = (limits: ServerOptions['limits'] = {}) =>
    serve({ engine: shipped.engine, scoring: shipped.scoring, faultInjection: true, limits });
  const clip = readClip('leader');

  it('killed while learners read is started again, and none of them loses or hears a phone twice', async () => {
    const server = await serveModel();
    const calm = await readClipWhole(server.url, clip);
    const clients = await Promise.all(Array.from({ length: 5 }, () => startReading(server.url, clip)));
    const half = Math.floor(lastFrame(clip) / 2);
    for (const client of clients) sendClip(client, clip, 0, half);
    await Promise.all(clients.map((client) => client.until('phoneme_feedback')));
    await inject(server, { action: 'kill' });
    for (const client of clients) {
      sendClip(client, clip, half + 1, lastFrame(clip));
      client.send({ type: 'close', last_seq: lastFrame(clip) });
      expect((await client.closed).code).toBe(1000);
      expect(client.of('error')).toEqual([]);
      const live = finalsInFeedback(client.events);
      expect(new Set(live.map(({ index }) => index)).size).toBe(live.length);
      expect(phonesOf(client.events).map(({ phoneme }) => phoneme)).toEqual(
        phonesOf(calm.events).map(({ phoneme }) => phoneme),
      );
      // The model's memory reaches back further than what it hears again, by a little.
      phonesOf(client.events).forEach((phone, i) => {
        expect(Math.abs(phone.accuracy! - phonesOf(calm.events)[i]!.accuracy!)).toBeLessThan(15);
      });
    }
    const metrics = await (await fetch(httpUrl(server, '/metrics'))).text();
    expect(metrics).toContain('speechfb_engine_restarts 1');
  });

  it('that stalls for less than its timeout costs nobody more than time', async () => {
    const server = await serveModel();
    const calm = await readClipWhole(server.url, clip);
    await inject(server, { action: 'stall', ms: 600 });
    const client = await readClipWhole(server.url, clip);
    expect(client.of('error')).toEqual([]);
    expect(phonesOf(client.events).map(essence)).toEqual(phonesOf(calm.events).map(essence));
  });

  it('that stalls for longer is told to those who wait, not to those who do not, and serves again', async () => {
    const server = await serveModel({ inferenceTimeoutMs: 1500, silentModelMs: 1000 });
    const [reading, silent] = await Promise.all([startReading(server.url, clip), startReading(server.url, clip)]);
    await inject(server, { action: 'stall', ms: 4000 });
    sendClip(reading, clip, 0, lastFrame(clip));
    expect((await reading.closed).code).toBe(4504);
    expect(reading.of('error')).toMatchObject([{ code: 'inference_timeout', retryable: true, retry_after_ms: 5000 }]);
    const readyz = async () => (await fetch(httpUrl(server, '/readyz'))).status;
    await expect.poll(readyz).toBe(503);
    await expect.poll(readyz).toBe(200);
    sendClip(silent, clip, 0, 40);
    await silent.until('phoneme_feedback');
    const after = await readClipWhole(server.url, clip);
    expect(after.of('error')).toEqual([]);
    expect(finalOf(after.events).scores.accuracy).toBeGreaterThan(50);
  });
});

async function disturbable(
  changes: Partial<ServerOptions> = {},
): Promise<{ server: RunningServer; faults: EngineFault[] }> {
  const faults: EngineFault[] = [];
  const engine = { ...scriptedEngine(), injectFault: (fault: EngineFault) => void faults.push(fault) };
  return { server: await serve({ engine, faultInjection: true, ...changes }), faults };
}

function inject(server: RunningServer, fault: object): Promise<Response> {
  return post(server, JSON.stringify(fault));
}

function post(server: RunningServer, body: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(httpUrl(server, '/faults/inference'), { method: 'POST', body, headers });
}

function httpUrl({ url }: RunningServer, path: string): URL {
  return new URL(path, url.replace(/^ws/, 'http'));
}

function phonesOf(events: Parameters<typeof finalOf>[0]) {
  return finalOf(events).words.flatMap((word) => word.phonemes);
}
