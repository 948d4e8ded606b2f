import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { startDatagramProxy } from '../../src/proxy/datagram-proxy.ts';
import { startProxy } from '../../src/proxy/proxy.ts';
import { runLoadtest } from '../load/run-loadtest.ts';
import type { MeasureOptions, Way } from './measure.ts';

/** What learners felt; ms, Infinity: never. `lost` is the share of frames that never came, in percent. */
export type Felt = Record<'p50' | 'p95' | 'p99' | 'never' | 'lost', number>;

const pem = (part: 'cert' | 'key') => resolve(`test/kit/golden/localhost.${part}.pem`);

/** A server of its own process with the model that ships, for all ways. */
export async function startServer(): Promise<{ port: number; stop(): void }> {
  const flags = ['--port', '0', '--quic', '0', '--gateways', '1', '--log-level', 'error'];
  const tls = ['--tls-cert', pem('cert'), '--tls-key', pem('key')];
  const child = spawn(process.execPath, ['bin/speechfb', 'serve', ...flags, ...tls], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  return { port: await portOf(child), stop: () => void child.kill('SIGTERM') };
}

/**
 * Learners who read aloud to that server by one way through the network: `feedback_latency` of a
 * load test, from the end of a phone to its feedback, the frames of 20 ms in between.
 */
export async function measureFeedback(way: Way, options: MeasureOptions, port: number): Promise<Felt> {
  const { network, seed } = options;
  const start = way === 'websocket' ? startProxy : startDatagramProxy;
  const proxy = await start({
    network,
    seed,
    listen: { host: '127.0.0.1', port: 0 },
    upstream: { host: '127.0.0.1', port },
    onEvent: (sentence) => console.error(`${way}: ${sentence}`),
  });
  try {
    return await felt(options, { url: `wss://localhost:${proxy.port}`, transport: way });
  } finally {
    proxy.stop();
  }
}

/**
 * The same learners, each on a simulated network of its own with this transport in place of a real
 * one; the way from there to the server is direct.
 * @param path the network as a scenario writes it
 */
export async function simulateFeedback(way: Way, options: MeasureOptions, port: number, path: object): Promise<Felt> {
  const transport = way === 'websocket' ? 'tcp' : way;
  const simulated = { networks: { path: { ...path, transport } }, mix: [{ network: 'path', weight: 1 }] };
  return await felt(options, { url: `wss://localhost:${port}` }, simulated);
}

async function felt(options: MeasureOptions, target: object, simulated: object = {}): Promise<Felt> {
  const { learners, network, seconds, seed } = options;
  const { counts, distributions, totals } = await runLoadtest({
    target: { ...target, tls: { ca: pem('cert') } },
    ...simulated,
    learners: {
      clips: resolve('fixtures/audio/manifest.jsonl'),
      ...{ frame: '20ms', emitInterval: '100ms', pause: '500ms' },
    },
    load: { learners, ramp: '1s' },
    duration: `${seconds}s`,
    ...{ warmup: '2s', seed, objectives: ['p95(feedback_latency) < 1s'] },
  });
  const latency = distributions.feedback_latency;
  if (!latency) throw new Error(`nobody felt anything through ${network.name}`);
  const ms = (quantile: number | null) => quantile ?? Number.POSITIVE_INFINITY;
  const { p50_ms, p95_ms, p99_ms, never, samples } = latency;
  return {
    ...{ p50: ms(p50_ms), p95: ms(p95_ms), p99: ms(p99_ms), never: (100 * never) / samples },
    lost: (100 * (counts.lost_by_network?.count ?? 0)) / totals.frames_sent,
  };
}

async function portOf(child: ChildProcess): Promise<number> {
  for await (const chunk of child.stdout!) {
    const url = /ready at (\S+)/.exec(String(chunk))?.[1];
    if (url !== undefined) return Number(new URL(url).port);
  }
  throw new Error('the server ended before it was ready');
}
