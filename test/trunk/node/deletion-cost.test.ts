import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { costTellerOf } from '../../../src/commands/serve/deletion-cost.ts';
import { newAuthority } from '../../../src/load/service/authority.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { DeletionCost } from '../../../src/trunk/node/deletion-cost.ts';
import { temporaryDirectory } from '../../kit/temporary-directory.ts';

describe('a node that says what it costs to delete it', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** One that stands at so many sessions of 100, and an API server that answers as it is told. */
  function teller(random = 0.5) {
    const told: number[] = [];
    const lines: { level: number; msg: string; why?: string }[] = [];
    const state = { sessions: 0, answer: async (_: AbortSignal) => {} };
    const cost = new DeletionCost({
      slots: () => ({ slots: 100, free: 100 - state.sessions }),
      async tell(sessions, signal) {
        told.push(sessions);
        await state.answer(signal);
      },
      log: createLog('info', { write: (line: string) => lines.push(JSON.parse(line)) }),
      random: () => random,
    });
    return { told, lines, state, cost };
  }

  it.each([
    ['an idle one once, whatever an earlier process of the pod said', [0, 0, 0, 0], [0]],
    ['the first session and the last', [0, 1, 1, 0], [0, 1, 0]],
    ['a tenth of the slots more or fewer, no less', [50, 59, 60, 51, 50, 50], [50, 60, 50]],
    ['a full one once', [100, 100, 100], [100]],
  ])('says %s', async (_, sessions, expected) => {
    const { told, state } = teller();
    state.sessions = sessions[0]!;
    await vi.advanceTimersByTimeAsync(7500);
    for (const now of sessions.slice(1)) {
      state.sessions = now;
      await vi.advanceTimersByTimeAsync(15_000);
    }
    expect(told).toEqual(expected);
  });

  it.each([0, 0.3, 0.999])('says no more than each 11 s, however sessions come and go (drawn: %d)', async (random) => {
    const { told, state } = teller(random);
    for (let second = 0; second < 600; second++) {
      state.sessions = second % 2 === 0 ? 100 : 0;
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(told.length).toBeGreaterThan(15);
    expect(told.length).toBeLessThanOrEqual(600 / 11 + 1);
  });

  it('says one line of an API server that refuses, asks it less and less often, and one when it takes the cost again', async () => {
    const { told, lines, state } = teller();
    state.sessions = 40;
    state.answer = () => Promise.reject(new Error('HTTP 503'));
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(told.length).toBeGreaterThan(10);
    expect(told.length).toBeLessThan(30);
    state.sessions = 70;
    state.answer = async () => {};
    await vi.advanceTimersByTimeAsync(300_000);
    expect(told.at(-1)).toBe(70);
    expect(lines.map(({ level, msg, why }) => [level, why ?? msg])).toEqual([
      [40, 'HTTP 503'],
      [30, "the API server takes the pod's deletion cost again"],
    ]);
  });

  it('waits for no API server that hangs, and for nothing once it has ended', async () => {
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
      const late = new AbortController();
      setTimeout(() => late.abort(), ms);
      return late.signal;
    });
    const { told, lines, state, cost } = teller();
    state.answer = (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')));
      });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told.length).toBeGreaterThan(1);
    expect(lines.map(({ why }) => why)).toEqual(['no answer within 5000 ms']);
    cost[Symbol.dispose]();
    const before = told.length;
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(told.length).toBe(before);
    expect(lines).toHaveLength(1);
    vi.restoreAllMocks();
  });
});

describe('the API server', () => {
  const authority = newAuthority('the authority of the cluster');

  type Asked = { method: string; url: string; headers: IncomingMessage['headers']; body: string };

  /** One that answers as `answer` says, and a pod's account that knows it. */
  async function apiServer(answer: (response: ServerResponse) => void, by = authority) {
    const asked: Asked[] = [];
    const { certificate, key } = by.issue();
    const server = createServer({ cert: certificate, key }, async (request, response) => {
      const { method = '', url = '', headers } = request;
      asked.push({ method, url, headers, body: await text(request) });
      answer(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const folder = join(temporaryDirectory(), 'account');
    mkdirSync(folder);
    writeFileSync(join(folder, 'token'), 'the first token\n');
    writeFileSync(join(folder, 'ca.crt'), authority.certificate);
    const port = String((server.address() as AddressInfo).port);
    const env = { ...podEnv, KUBERNETES_SERVICE_PORT: port };
    return { asked, folder, tell: costTellerOf(folder, env) };
  }

  const later = () => AbortSignal.timeout(60_000);
  const end = (status: number, body: string) => (response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  };

  it('is asked to change one annotation of this very pod, each time with the token as it is then', async () => {
    const { asked, folder, tell } = await apiServer(end(200, `{"pod":"${'long'.repeat(50_000)}"}`));
    await tell(12, later());
    writeFileSync(join(folder, 'token'), 'the second token');
    await tell(0, later());
    const said = (cost: string, token: string) => ({
      method: 'PATCH',
      url: '/api/v1/namespaces/speechfb/pods/speechfb-inference-7d9-x2x',
      headers: expect.objectContaining({
        authorization: `Bearer ${token}`,
        'content-type': 'application/merge-patch+json',
      }),
      body: `{"metadata":{"annotations":{"controller.kubernetes.io/pod-deletion-cost":"${cost}"}}}`,
    });
    expect(asked).toEqual([said('12', 'the first token'), said('0', 'the second token')]);
  });

  it.each([
    ['that does not know the token', 401, 'HTTP 401, it does not know the token'],
    ['that does not let the pod', 403, "HTTP 403, the pod's account may not patch pods"],
    ['that knows no such pod', 404, 'HTTP 404, it knows no such pod'],
    ['that is busy', 429, 'HTTP 429'],
    ['that points elsewhere', 302, 'HTTP 302'],
  ])('%s is told of in words without the token', async (_, status, message) => {
    const { tell } = await apiServer(end(status, '{"message":"the first token"}'));
    await expect(tell(3, later())).rejects.toThrow(message);
    await expect(tell(3, later())).rejects.not.toThrow('the first token');
  });

  it('that another authority signs is not given the token', async () => {
    const { asked, tell } = await apiServer(end(200, '{}'), newAuthority('a stranger'));
    await expect(tell(3, later())).rejects.toThrow(/certificate|signature|signed/);
    expect(asked).toEqual([]);
  });

  it.each([
    ['never answers', () => {}],
    ['hangs up', (response: ServerResponse) => response.destroy()],
  ])('that %s fails when it is time', async (_, answer) => {
    const { tell } = await apiServer(answer);
    await expect(tell(3, AbortSignal.timeout(500))).rejects.toThrow(/abort|timeout|hang up|reset/i);
  });

  it.each([
    ['KUBERNETES_SERVICE_HOST', undefined, 'KUBERNETES_SERVICE_HOST is not set'],
    ['KUBERNETES_SERVICE_PORT', 'tcp://10.96.0.1:443', 'KUBERNETES_SERVICE_PORT is "tcp://10.96.0.1:443"'],
    ['POD_NAME', '', 'POD_NAME is not set'],
    ['POD_NAMESPACE', undefined, 'POD_NAMESPACE is not set'],
  ])('is not asked outside of a pod: %s is %s', (variable, value, message) => {
    expect(() => costTellerOf(temporaryDirectory(), { ...podEnv, [variable]: value })).toThrow(message);
  });

  it.each(['token', 'ca.crt'])('is not asked without the file %s', async (file) => {
    const { folder } = await apiServer(end(200, '{}'));
    rmSync(join(folder, file));
    expect(() => costTellerOf(folder, podEnv)).toThrow(join(folder, file));
  });
});

const podEnv = {
  KUBERNETES_SERVICE_HOST: '127.0.0.1',
  KUBERNETES_SERVICE_PORT: '6443',
  POD_NAME: 'speechfb-inference-7d9-x2x',
  POD_NAMESPACE: 'speechfb',
};
