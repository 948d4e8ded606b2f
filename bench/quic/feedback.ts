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
  const { learners, network, seconds, seed } = options;
  const start = way === 'websocket' ? startProxy : startDatagramProxy;
  const proxy = await start({
    network,
    seed,
    listen: { host: '127.0.0.1', port: 0 },
    upstream: { host: '127.0.0.1', port },
    onEvent: (sentence) => console.error(`${way}: ${sentence}`),
  });
  try {
    const url = `wss://localhost:${proxy.port}`;
    const { counts, distributions, totals } = await runLoadtest({
      target: { url, transport: way, tls: { ca: pem('cert') } },
      learners: {
        clips: resolve('fixtures/audio/manifest.jsonl'),
        ...{ frame: '20ms', emitInterval: '100ms', pause: '500ms' },
      },
      load: { learners, ramp: '1s' },
      duration: `${seconds}s`,
      ...{ warmup: '2s', seed, objectives: ['p95(feedback_latency) < 1s'] },
    });
    const felt = distributions.feedback_latency;
    if (!felt) throw new Error(`nobody felt anything by ${way} through ${network.name}`);
    const ms = (quantile: number | null) => quantile ?? Number.POSITIVE_INFINITY;
    const { p50_ms, p95_ms, p99_ms, never, samples } = felt;
    return {
      ...{ p50: ms(p50_ms), p95: ms(p95_ms), p99: ms(p99_ms), never: (100 * never) / samples },
      lost: (100 * (counts.lost_by_network?.count ?? 0)) / totals.frames_sent,
    };
  } finally {
    proxy.stop();
  }
}

async function portOf(child: ChildProcess): Promise<number> {
  for await (const chunk of child.stdout!) {
    const url = /ready at (\S+)/.exec(String(chunk))?.[1];
    if (url !== undefined) return Number(new URL(url).port);
  }
  throw new Error('the server ended before it was ready');
}
