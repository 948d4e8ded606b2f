import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { type EmbeddedServer, startEmbedded } from '../src/load/service/embedded-server.ts';
import { RedisLink } from '../src/stores/redis/redis-link.ts';
import { freePort } from '../test/kit/free-port.ts';
import { type OneClip, runLoadtest } from './load/run-loadtest.ts';

// What does a store of sessions add to the latency of feedback?
//   npm run bench redis -- --sessions 50 --seconds 20 --rounds 8
// Two servers stand side by side, one with a Redis of its own; the same learners read to one and then to the other, in
// each round the other way round, so that what the machine does meanwhile falls on both. A round's figure is the p95 of
// feedback with the store less that without. To be below: 1 ms.
const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '8' },
  },
});
const clip = clipOf('leader');
const redisPort = await freePort();
const redis = spawn('redis-server', ['--port', String(redisPort), '--bind', '127.0.0.1', '--save', ''], {
  stdio: 'ignore',
});
const store = `redis://127.0.0.1:${redisPort}`;
const servers: EmbeddedServer[] = [];
try {
  await answers(redisPort);
  servers.push(await serve([]));
  servers.push(await serve(['--store', store]));
  const [without, withStore] = servers as [EmbeddedServer, EmbeddedServer];
  // The first test has V8's compiler in it, at both.
  for (const server of servers) await p95Ms(server, 5);
  const table = new Table({
    head: ['round', 'p95 without ms', 'with ms', 'more ms'],
    style: { head: [], border: [] },
  });
  const more: number[] = [];
  for (let round = 1; round <= Number(values.rounds); round += 1) {
    const isFirst = round % 2 === 1;
    const before = isFirst ? await p95Ms(without) : undefined;
    const stored = await p95Ms(withStore);
    const plain = before ?? (await p95Ms(without));
    more.push(stored - plain);
    table.push([round, plain.toFixed(1), stored.toFixed(1), (stored - plain).toFixed(2)]);
  }
  const sorted = more.toSorted((a, b) => a - b);
  const mean = more.reduce((sum, ms) => sum + ms, 0) / more.length;
  const variance = more.reduce((sum, ms) => sum + (ms - mean) ** 2, 0) / Math.max(1, more.length - 1);
  const spread = `median ${sorted[Math.floor(sorted.length / 2)]!.toFixed(2)}, ${sorted[0]!.toFixed(2)} to ${sorted.at(-1)!.toFixed(2)}`;
  const error = Math.sqrt(variance / more.length);
  process.stdout.write(
    `${table}\nwith the store p95(feedback_latency) of ${values.sessions} sessions is more by ms: ${spread}; ` +
      `mean ${mean.toFixed(2)}, standard error ${error.toFixed(2)}\n`,
  );
} finally {
  await Promise.all(servers.map((server) => server.stop()));
  redis.kill();
}

async function p95Ms({ url }: EmbeddedServer, seconds = Number(values.seconds)): Promise<number> {
  const spec = {
    target: { url },
    load: { learners: Number(values.sessions), ramp: '2s' },
    duration: `${seconds}s`,
    seed: 1,
    objectives: ['p95(feedback_latency) < 5s'],
  };
  const { distributions } = await runLoadtest(spec, clip, 20);
  const feedback = distributions.feedback_latency;
  if (!feedback || feedback.p95_ms === null) throw new Error('no feedback came, or p95 of it is never');
  return feedback.p95_ms;
}

function serve(args: readonly string[]): Promise<EmbeddedServer> {
  const usual = ['bin/speechfb', 'serve', '--port', '0', '--log-level', 'error'];
  return startEmbedded({ file: process.execPath, args: [...usual, ...args] });
}

/** Resolves when the Redis of this bench can be used. */
async function answers(port: number): Promise<void> {
  const place = { host: '127.0.0.1', port, database: 0, username: undefined, password: undefined, isSecure: false };
  const link = new RedisLink({ place });
  await new Promise<void>((up) => link.onUp(up));
  await link.close();
}

function clipOf(id: string): OneClip {
  const lines = readFileSync('fixtures/audio/manifest.jsonl', 'utf8').trim().split('\n');
  const clip = lines.map((line): OneClip => JSON.parse(line)).find((one) => one.id === id)!;
  return { ...clip, audio: resolve('fixtures/audio', clip.audio) };
}
