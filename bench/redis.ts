import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { type EmbeddedServer, startEmbedded } from '../src/load/service/embedded-server.ts';
import { RedisLink } from '../src/stores/redis/redis-link.ts';
import { freePort } from '../test/kit/free-port.ts';
import { feedbackP95Ms } from './load/feedback-p95.ts';
import { comparePaired } from './load/paired.ts';

// What does a store of sessions add to the latency of feedback?
//   npm run bench redis -- --sessions 50 --seconds 20 --rounds 8
// Two servers stand side by side, one with a Redis of its own; the same learners read to one and then to the other. A
// round's figure is the p95 of feedback with the store less that without. To be below: 1 ms.
const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '8' },
  },
});
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
  const sessions = Number(values.sessions);
  const p95Ms = ({ url }: EmbeddedServer, seconds = Number(values.seconds)) =>
    feedbackP95Ms(url, { sessions, seconds });
  // The first test has V8's compiler in it, at both.
  for (const server of servers) await p95Ms(server, 5);
  const compared = await comparePaired({
    ...{ rounds: Number(values.rounds), what: 'the store' },
    without: () => p95Ms(without),
    withIt: () => p95Ms(withStore),
  });
  process.stdout.write(`p95(feedback_latency) of ${sessions} sessions\n${compared}\n`);
} finally {
  await Promise.all(servers.map((server) => server.stop()));
  redis.kill();
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
