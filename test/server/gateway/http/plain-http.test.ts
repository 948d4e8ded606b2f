import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { RequestTurns } from '../../../../src/server/gateway/http/request-turns.ts';
import type { Limits } from '../../../../src/server/limits.ts';
import { localhostTls } from '../../../kit/localhost.ts';
import { metricsByTls } from '../../../kit/server/metrics-by-tls.ts';
import { serve } from '../../../kit/server/serve.ts';

const get = request('GET /healthz');
/** Some 64 kB, which Node reads at once. */
const packet = 1500;

describe('what one packet brings', () => {
  type Row = [what: string, bytes: string, answers: string[], refused: string];
  const rows: Row[] = [
    ['as many requests as may wait: are answered', get.repeat(8), Array(8).fill('200'), ''],
    ['thousands of requests: ends the connection', get.repeat(packet), [], 'pipelined'],
    ['thousands that nobody answers: likewise', request('GET /nowhere').repeat(packet), [], 'pipelined'],
    ['thousands of expectations: likewise', request('GET /', 'Expect: a-miracle').repeat(packet), ['417'], 'pipelined'],
    [
      'a body in a byte each that nobody reads: is answered, and read no further',
      request('POST /healthz', 'Transfer-Encoding: chunked') + '1\r\na\r\n'.repeat(10_000),
      ['405'],
      '',
    ],
    ['a length that nobody waits for: likewise', request('POST /healthz', 'Content-Length: 99999999'), ['405'], ''],
    ['a request behind such a body: is not heard', `${request('POST /x', 'Content-Length: 1')}x${get}`, ['405'], ''],
  ];

  it.each(rows)('%s', async (_, bytes, answers, refused) => {
    const server = await serve();
    const socket = open(connectTcp(server.port, '127.0.0.1'));
    socket.write(bytes);
    if (refused === '') await expect.poll(socket.statuses).toEqual(answers);
    else await socket.closed;
    expect(socket.statuses()).toEqual(answers);
    const metrics = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
    // Each answer that was begun would be counted: nothing behind the bound was heard at all.
    expect(heard(metrics)).toBeLessThanOrEqual(8);
    expect(metrics.includes(`speechfb_refused_requests_total{reason="pipelined"} 1\n`)).toBe(refused !== '');
    expect(metrics.includes(`speechfb_limits_met_total{limit="max_pipelined_requests"} 1\n`)).toBe(refused !== '');
  });

  it('a client that has asked and closes its half: is answered, though others keep the thread', async () => {
    const server = await serve();
    const flood = open(connectTcp(server.port, '127.0.0.1'));
    flood.write(request('GET /metrics').repeat(8));
    const socket = open(connectTcp(server.port, '127.0.0.1'));
    socket.end(request('GET /metrics').repeat(4));
    await socket.closed;
    expect(socket.statuses()).toEqual(['200', '200', '200', '200']);
  });

  it('thousands of requests over TLS: end the connection', async () => {
    const server = await serve({ tls: localhostTls, host: '0.0.0.0' });
    const socket = open(connectTls({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false }));
    socket.write(get.repeat(packet));
    await socket.closed;
    await expect
      .poll(() => metricsByTls(server.url))
      .toContain('speechfb_refused_requests_total{reason="pipelined"} 1\n');
  });
});

describe('an address that asks without end', () => {
  it.each<[string, Partial<Limits>, Record<string, string>[], number[]]>([
    ['is told to wait', { requestsPerSecond: 0.01, requestBurst: 2 }, [{}, {}, {}], [200, 200, 429]],
    [
      'keeps nobody else waiting that comes by the same proxy',
      { requestsPerSecond: 0.01, requestBurst: 1 },
      ['203.0.113.1', '203.0.113.1', '203.0.113.2'].map((from) => ({ 'x-forwarded-for': from })),
      [200, 429, 200],
    ],
    [
      'may, where a limit says so',
      { requestsPerSecond: 1e6, requestBurst: 1e6 },
      Array(40).fill({}),
      Array(40).fill(200),
    ],
  ])('%s', async (_, limits, asked, statuses) => {
    const server = await serve({ limits, trustedProxies: 1 });
    const answers = [];
    for (const headers of asked) answers.push(await fetch(`http://127.0.0.1:${server.port}/healthz`, { headers }));
    expect(answers.map(({ status }) => status)).toEqual(statuses);
    const refused = answers.find(({ status }) => status === 429);
    if (!refused) return;
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(90);
    const message = `this address asks for more than requests_per_second, 0.01`;
    expect(await refused.json()).toEqual({ error: { code: 'rate_limited', message } });
  });

  it('has to connect again, and is counted', async () => {
    const server = await serve({ limits: { requestsPerSecond: 0.01, requestBurst: 1 }, trustedProxies: 1 });
    const socket = open(connectTcp(server.port, '127.0.0.1'));
    socket.write(get + get);
    await socket.closed;
    expect(socket.statuses()).toEqual(['200', '429']);
    const headers = { 'x-forwarded-for': '203.0.113.7' };
    const metrics = await (await fetch(`http://127.0.0.1:${server.port}/metrics`, { headers })).text();
    expect(metrics).toContain('speechfb_refused_requests_total{reason="requests"} 1\n');
    expect(metrics).toContain('speechfb_limits_met_total{limit="requests_per_second"} 1\n');
  });
});

describe('turns of requests', () => {
  const atOnceMs = 50;
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  it('take a share of the time, however many wait', async () => {
    const { turns, work, done } = start({ requestTurnMs: 1, requestShare: 0.1 });
    for (let i = 0; i < 1000; i++) turns.enter('a', work('a', 0.5));
    await vi.advanceTimersByTimeAsync(1000);
    // What a few may take at once is beyond it.
    const share = (0.5 * done.length - atOnceMs) / (1000 + spentMs);
    expect(share).toBeGreaterThan(0.09);
    expect(share).toBeLessThan(0.102);
  });

  it('answer at once who comes alone', () => {
    const { turns, work, done } = start({ requestTurnMs: 1, requestShare: 0.1 });
    turns.enter('a', work('a', 5));
    expect(done).toEqual(['a']);
  });

  it('answer at once who comes again and again, as long as that is no flood', async () => {
    const { turns, work, done } = start({ requestTurnMs: 1, requestShare: 0.1 });
    for (let i = 1; i <= 10; i++) {
      turns.enter('a', work('a', 4));
      expect(done).toHaveLength(i);
      await vi.advanceTimersByTimeAsync(1);
    }
    for (let i = 0; i < 10; i++) turns.enter('a', work('a', 4));
    expect(done.length).toBeLessThan(20);
  });

  it('are given to each caller in turn', async () => {
    const { turns, work, done } = start({ requestTurnMs: 1, requestShare: 0.5 });
    for (const caller of ['a', 'a', 'a', 'a', 'b', 'b', 'c']) turns.enter(caller, work(caller, 1));
    await vi.advanceTimersByTimeAsync(100);
    expect(done.join('')).toBe('aabcaba');
  });

  it('count what is done behind a promise in the same turn', async () => {
    const { turns, done } = start({ requestTurnMs: 1, requestShare: 0.1 });
    const later = (): void => {
      void Promise.resolve().then(() => {
        spend(10);
        done.push('x');
      });
    };
    for (let i = 0; i < 100; i++) turns.enter('a', later);
    await vi.advanceTimersByTimeAsync(1000);
    expect(done.length).toBeLessThanOrEqual(13 + atOnceMs / 10);
  });

  let spentMs = 0;
  const spend = (ms: number): void => {
    spentMs += ms;
  };

  /** Work takes time of the clock that no timer sees. */
  function start(limits: Pick<Limits, 'requestShare' | 'requestTurnMs'>) {
    spentMs = 0;
    const done: string[] = [];
    const turns = new RequestTurns({ limits, now: () => performance.now() + spentMs });
    const work = (caller: string, ms: number) => () => {
      spend(ms);
      done.push(caller);
    };
    return { turns, work, done };
  }
});

function request(line: string, ...headers: string[]): string {
  return [`${line} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n');
}

/** How many requests were answered, whatever became of the answers. */
function heard(metrics: string): number {
  const counts = [...metrics.matchAll(/^speechfb_http_request_seconds_count\{.*\} (\d+)$/gm)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

/** A connection, and the statuses of the answers that came over it. */
function open(socket: Socket) {
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  let answer = '';
  socket.on('data', (data) => (answer += data.toString('latin1')));
  return {
    write: (bytes: string) => void socket.write(bytes),
    end: (bytes: string) => void socket.end(bytes),
    closed: new Promise<void>((resolve) => socket.once('close', () => resolve())),
    statuses: () => [...answer.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => status),
  };
}
