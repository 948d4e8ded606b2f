import { spawn, spawnSync } from 'node:child_process';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { request } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { metricPoints } from '../../src/report/export/metric-points.ts';
import { prometheusText } from '../../src/report/export/prometheus-text.ts';
import { otlpTarget, push, pushgatewayTarget } from '../../src/telemetry/push.ts';
import { report } from '../kit/report-fixture.ts';
import { distributionOf } from '../kit/samples.ts';

it.each([
  ['http://collector:4318', 'http://collector:4318/v1/metrics'],
  ['http://prometheus:9090/api/v1/otlp/v1/metrics', 'http://prometheus:9090/api/v1/otlp/v1/metrics'],
])('OTLP to %s goes to %s', (given, url) => {
  const target = otlpTarget(given);
  expect([target.method, target.url.href]).toEqual(['POST', url]);
});

it('a Pushgateway gets a group for each scenario', () => {
  const { method, url } = pushgatewayTarget('http://gateway:9091/', 'bad network');
  expect([method, url.href]).toEqual([
    'PUT',
    'http://gateway:9091/metrics/job/speechfb_loadtest/scenario/bad%20network',
  ]);
});

it.each(['gateway:9091', 'ftp://gateway', ''])('"%s" is no URL to push to', (given) => {
  expect(() => otlpTarget(given)).toThrow(/--otlp: ".*" is not an HTTP URL/);
});

describe('push', () => {
  it('sends the document with its type', async () => {
    const { url, bodies } = await receiver(200, '');
    await push(otlpTarget(url), '{"resourceMetrics":[]}');
    expect(bodies).toEqual(['POST /v1/metrics application/json {"resourceMetrics":[]}']);
  });

  it('quotes what the receiver refused with', async () => {
    const { url } = await receiver(400, 'text format parsing error');
    await expect(push(pushgatewayTarget(url, 'x'), 'junk')).rejects.toThrow(/status 400 text format parsing error/);
  });

  it('says that nobody answers', async () => {
    await expect(push(otlpTarget('http://127.0.0.1:9'), '{}')).rejects.toMatchObject({ code: 'push_failed' });
  });
});

const gateway = ['prometheus-pushgateway', 'pushgateway'].find((name) => spawnSync(name, ['--version']).status === 0);
if (!gateway) console.warn('SKIPPED: the test against a real Pushgateway; install prometheus-pushgateway');

it.skipIf(!gateway)('a real Pushgateway takes a run and shows it', async () => {
  const child = spawn(gateway!, ['--web.listen-address=127.0.0.1:0'], { stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(() => void child.kill());
  const url = await new Promise<string>((resolve) => {
    createInterface(child.stderr).on('line', (line) => {
      const address = /(?:address=|listening on )"?\[?(127\.0\.0\.1:\d+)/i.exec(line)?.[1];
      if (address && !address.endsWith(':0')) resolve(`http://${address}`);
    });
  });
  const distribution = distributionOf(40, 400, Number.POSITIVE_INFINITY);
  const points = metricPoints(report, [{ labels: { metric: 'feedback_latency' }, distribution }]);
  await push(pushgatewayTarget(url, 'quickstart'), prometheusText(points));
  const shown = await (await request(`${url}/metrics`)).body.text();
  expect(shown).toMatch(/speechfb_loadtest_latency_seconds_bucket\{.*le="\+Inf".*\} 3/);
  expect(shown).toMatch(/speechfb_loadtest_verdict\{.*scenario="quickstart".*\} 0/);
});

async function receiver(status: number, answer: string) {
  const bodies: string[] = [];
  const server = createServer(async (incoming, response) => {
    bodies.push(`${incoming.method} ${incoming.url} ${incoming.headers['content-type']} ${await textOf(incoming)}`);
    response.writeHead(status).end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies };
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of incoming) text += chunk;
  return text;
}
