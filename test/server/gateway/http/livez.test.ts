import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { createHttpHandler, type HttpOptions } from '../../../../src/server/gateway/http/handler.ts';
import { Metrics } from '../../../../src/telemetry/metrics.ts';

it.each<[string, Partial<HttpOptions>, number, object]>([
  ['alive while what scores moves', { stuck: () => undefined }, 200, { status: 'alive' }],
  [
    'stuck while it does not',
    { stuck: () => 'the model says nothing' },
    503,
    { status: 'stuck', reason: 'the model says nothing' },
  ],
  ['alive while it drains', { stuck: () => undefined, notReady: () => 'draining' }, 200, { status: 'alive' }],
  ['alive where nothing scores', {}, 200, { status: 'alive' }],
])('/livez says %s', async (_, options, status, body) => {
  expect(await get('/livez', options)).toEqual({ status, body });
});

it('an answer that fails is told of where it is asked for, and to who runs the server', async () => {
  const failed: unknown[][] = [];
  const broken = new Error('the supervisor does not answer');
  const options = { expose: () => Promise.reject(broken), onFailed: (...told: unknown[]) => void failed.push(told) };
  const message = 'the server failed on this request; the log says why';
  expect(await get('/metrics?x=1', options)).toEqual({ status: 500, body: { error: { code: 'internal', message } } });
  expect(failed).toEqual([[broken, '/metrics']]);
});

async function get(path: string, options: Partial<HttpOptions>): Promise<{ status: number; body: unknown }> {
  const handler = createHttpHandler({
    metrics: new Metrics({ version: '0', sessions: () => ({}), engine: () => undefined }),
    expose: () => Promise.reject(new Error('not asked')),
    notReady: () => undefined,
    lostDevice: () => undefined,
    tooMany: () => undefined,
    misdirected: () => undefined,
    unknown: () => undefined,
    refusedOperator: () => undefined,
    pageOf: () => undefined,
    onFailed: () => {},
    ...options,
  });
  const server = createServer(handler).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
  return { status: answer.status, body: await answer.json() };
}
