import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPrometheusApi } from '../../src/telemetry/prometheus-api.ts';

/** What the next answers are, by query; and what was asked. */
const answers = new Map<string, { status?: number; body: string }>();
const asked: { path: string; form: URLSearchParams }[] = [];
let server: Server;
let root: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const form = new URLSearchParams(body);
      asked.push({ path: request.url ?? '', form });
      const { status = 200, body: answer } = answers.get(form.get('query') ?? '') ?? { body: vector([]) };
      response.writeHead(status, { 'content-type': 'application/json' }).end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

function vector(result: unknown[], resultType = 'vector'): string {
  return JSON.stringify({ status: 'success', data: { resultType, result } });
}

describe('a Prometheus', () => {
  it.each([
    ['one series', vector([{ metric: {}, value: [1, '0.25'] }]), 0.25],
    ['a scalar', vector([1, '3'] as unknown[], 'scalar'), 3],
    ['nothing', vector([]), undefined],
    ['a ratio of nothing', vector([{ metric: {}, value: [1, 'NaN'] }]), undefined],
  ])('that answers %s gives its value', async (name, body, value) => {
    answers.set(name, { body });
    expect(await createPrometheusApi(`${root}/`).value(name, 5000)).toBe(value);
    expect(asked.at(-1)?.path).toBe('/api/v1/query');
    expect(asked.at(-1)?.form.get('time')).toBe('5');
  });

  it('gives a series step by step', async () => {
    answers.set('r', {
      body: vector(
        [
          {
            metric: {},
            values: [
              [60, '1'],
              [120, 'NaN'],
              [180, '3'],
            ],
          },
        ],
        'matrix',
      ),
    });
    const series = await createPrometheusApi(root).series('r', { startMs: 60_000, endMs: 180_000, stepMs: 60_000 });
    expect(series).toEqual([
      { atMs: 60_000, value: 1 },
      { atMs: 180_000, value: 3 },
    ]);
    expect(asked.at(-1)?.path).toBe('/api/v1/query_range');
    expect(asked.at(-1)?.form.get('step')).toBe('60');
  });

  it.each([
    [
      'two series',
      { body: vector([{ value: [1, '1'] }, { value: [1, '2'] }]) },
      'prometheus_ambiguous',
      /gives 2 series/,
    ],
    [
      'a mistake',
      { status: 400, body: '{"status":"error","error":"parse error"}' },
      'prometheus_refused',
      /parse error/,
    ],
    ['a web page', { body: '<html>' }, 'prometheus_refused', /HTTP 200, "<html>"/],
    ['a gateway error', { status: 502, body: 'bad gateway' }, 'prometheus_refused', /HTTP 502/],
  ])('that answers %s is an error', async (query, answer, code, message) => {
    answers.set(query, answer);
    const result = createPrometheusApi(root).value(query, 0);
    await expect(result).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('that is not there is an error with a hint', async () => {
    const result = createPrometheusApi('http://127.0.0.1:1').value('x', 0);
    await expect(result).rejects.toMatchObject({
      code: 'prometheus_unreachable',
      hint: expect.stringContaining('9090'),
    });
    expect(() => createPrometheusApi('localhost:9090')).toThrow(/is not the URL of a Prometheus/);
  });
});
