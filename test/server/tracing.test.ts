import type { ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SecretUrl } from '../../src/secret-url.ts';
import type { ServerOptions } from '../../src/server/gateway/server.ts';
import { openOtlpTracing } from '../../src/telemetry/tracing/otlp-tracing.ts';
import { receiveOtlp } from '../kit/otlp-receiver.ts';
import { connect, startMessage } from '../kit/server/client.ts';
import { serve } from '../kit/server/serve.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;

/** A server that traces to a receiver of the test; `flush` resolves when all was sent. */
async function traced(
  answer?: (response: ServerResponse) => void,
  changes: Partial<ServerOptions> = {},
  answerMs = 5000,
) {
  const receiver = await receiveOtlp(answer);
  onTestFinished(() => receiver.close());
  const url = SecretUrl.parse(receiver.url, 'http').below('/v1/traces');
  const trouble: (string | undefined)[] = [];
  const onTrouble = (why: string | undefined) => void trouble.push(why);
  const tracing = openOtlpTracing({ url, version: '0.0.0-test', share: 1, slowMs: 500, onTrouble, answerMs });
  onTestFinished(() => tracing[Symbol.asyncDispose]());
  const server = await serve({ tracing, ...changes });
  await server.ready;
  return { receiver, trouble, server, flush: () => tracing.flush() };
}

/** An answer that begins well, and never ends. */
function drip(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/x-protobuf' });
  const timer = setInterval(() => response.write('\0'), 50);
  response.once('close', () => clearInterval(timer));
}

function resetHalfway(response: ServerResponse): void {
  response.writeHead(200, { 'content-length': '1000' });
  response.write('half', () => response.socket?.resetAndDestroy());
}

/** A session from its start to its close. */
async function speak(
  url: string,
  start: Parameters<typeof startMessage>[0] = {},
  headers: Record<string, string> = {},
) {
  const client = await connect(url, { headers });
  client.send(startMessage(start));
  await client.until('ready');
  client.frames(0, 49);
  client.send({ type: 'close', last_seq: 49 });
  await client.closed;
  return client;
}

const metricsOf = async (url: string): Promise<string> =>
  await (await fetch(url.replace('ws://', 'http://').replace('/v1/stream', '/metrics'))).text();

describe('a server that traces', () => {
  it('sends the session as a child of its client, and each utterance with the stages of its feedback', async () => {
    const { receiver, server, flush } = await traced();
    const client = await speak(server.url, { traceparent });
    await flush();
    const spans = receiver.spans();
    const [session] = spans.filter(({ name }) => name === 'session');
    expect(session).toMatchObject({ traceId, parentSpanId: '00f067aa0ba902b7', hasFailed: false });
    const [utterance] = spans.filter(({ name }) => name === 'utterance');
    expect(utterance!.links).toEqual([{ traceId, spanId: session!.spanId }]);
    expect(utterance!.attributes).toMatchObject({ 'speechfb.reason': 'close', 'speechfb.outcome': 'final' });
    const feedback = spans.filter(({ name }) => name === 'feedback');
    expect(feedback).toHaveLength(client.of('phoneme_feedback').length);
    // What the client was told of each is what its spans say.
    const told = client.of('phoneme_feedback').map(({ timing }) => timing.emit ?? 0);
    const emits = spans.filter(({ name }) => name === 'emit').map(({ startMs, endMs }) => endMs - startMs);
    expect(emits).toHaveLength(told.length);
    for (const [i, ms] of emits.entries()) expect(ms).toBeCloseTo(told[i]!, 1);
    expect(receiver.resource()).toMatchObject({ 'service.name': 'speechfb' });
  });

  it('takes the span of the request that opened the socket where a start names none', async () => {
    const { receiver, server, flush } = await traced();
    await speak(server.url, {}, { traceparent });
    await flush();
    expect(receiver.spans().find(({ name }) => name === 'session')).toMatchObject({ traceId });
  });

  it.each([['no traceparent'], ['00-short'], ['x'.repeat(5000)]])(
    'passes over "%.20s" and counts it',
    async (given) => {
      const { receiver, server, flush } = await traced();
      const client = await speak(server.url, { traceparent: given });
      await flush();
      expect(client.of('utterance_final')).toHaveLength(1);
      expect(receiver.spans().find(({ name }) => name === 'session')!.parentSpanId).toBeUndefined();
      expect(await metricsOf(server.url)).toContain('speechfb_traceparents_total{outcome="malformed"} 1');
    },
  );

  it('knows the retry of a start by all but its span', async () => {
    const { server } = await traced();
    const start = { idempotency_key: 'k'.repeat(16) };
    const first = await connect(server.url, { autoPong: false });
    first.send(startMessage({ ...start, traceparent }));
    const { session_id } = await first.until('ready');
    const second = await connect(server.url);
    second.send(startMessage({ ...start, traceparent: traceparent.replace('902b7', '902b8') }));
    expect((await second.until('ready')).session_id).toBe(session_id);
    second.cut();
    first.cut();
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ['hangs', () => {}],
    ['refuses', (response) => response.writeHead(400).end()],
    ['fails', (response) => response.writeHead(500).end('x'.repeat(100_000))],
    ['asks for an hour', (response) => response.writeHead(503, { 'retry-after': '3600' }).end()],
    ['sends it elsewhere', (response) => response.writeHead(307, { location: 'http://127.0.0.1:9/' }).end()],
    ['breaks off', (response) => response.destroy()],
    ['resets the connection in its answer', resetHalfway],
  ])('serves as ever while its receiver %s', async (_, answer) => {
    const { receiver, server } = await traced(answer);
    for (let i = 0; i < 3; i++) {
      const client = await speak(server.url);
      expect(client.of('phoneme_feedback').length).toBeGreaterThan(5);
      expect(client.of('utterance_final')).toHaveLength(1);
    }
    await expect.poll(() => receiver.headers.length).toBeGreaterThan(0);
  });

  it('gives up a receiver that answers a byte at a time, says so, and sends the next spans', async () => {
    const { receiver, server, trouble } = await traced(drip, {}, 200);
    for (let i = 1; i <= 2; i++) {
      await speak(server.url);
      await expect.poll(() => receiver.headers.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(i);
    }
    // A machine that stands still for a fifth of a second hears nothing meanwhile: then it is silence that is told of.
    await expect.poll(() => trouble.length, { timeout: 20_000 }).toBeGreaterThan(0);
    expect(trouble[0]).toBeDefined();
    expect(await metricsOf(server.url)).toMatch(/speechfb_spans_total\{outcome="failed"\} [1-9]/);
  });

  it('says that a receiver refuses, once, and counts what is lost', async () => {
    const { server, trouble, flush } = await traced((response) => response.writeHead(400).end());
    for (let i = 0; i < 3; i++) {
      await speak(server.url);
      await flush();
    }
    expect(trouble).toHaveLength(1);
    expect(await metricsOf(server.url)).toMatch(/speechfb_spans_total\{outcome="failed"\} [1-9]/);
  });

  it('gives its latencies exemplars when OpenMetrics is asked for, and each names a trace that was sent', async () => {
    const { receiver, server, flush } = await traced();
    await speak(server.url);
    await flush();
    const response = await fetch(server.url.replace('ws://', 'http://').replace('/v1/stream', '/metrics'), {
      headers: { accept: 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5' },
    });
    expect(response.headers.get('content-type')).toContain('application/openmetrics-text');
    const text = await response.text();
    expect(text.endsWith('# EOF\n')).toBe(true);
    const named = [...text.matchAll(/^speechfb_feedback_seconds_bucket.* # \{trace_id="(\w+)"\}/gm)].map(
      ([, id]) => id,
    );
    expect(named.length).toBeGreaterThan(0);
    expect(receiver.spans().map(({ traceId: id }) => id)).toEqual(expect.arrayContaining(named));
    // Those who ask for the old format get it, with all its names, before and after.
    expect(await metricsOf(server.url)).toMatch(/^speechfb_frames_total\{outcome="\w+"\} 50$/m);
  });
});
