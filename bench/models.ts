import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { readClips } from '../src/load/scenario/clips.ts';
import { type EmbeddedServer, startEmbedded } from '../src/load/service/embedded-server.ts';
import { quantile } from '../src/metrics/definitions.ts';
import { histogramsReady } from '../src/metrics/histogram.ts';
import { Recorder } from '../src/metrics/recorder.ts';
import { residentMegabytes } from './abuse/peak-memory.ts';
import { frameMs, readTo } from './load/reading.ts';
import { serverThreads, steadyCost } from './serve/thread-cpu.ts';

// What does a second version of the model cost a server?
//   npm run bench models -- --sessions 20 --seconds 12 --rounds 3
// Two servers by a policy, one with all sessions at its own model, one with half of them at a version that has the same
// network under another name, so that nothing but the second engine is different. In turn, in each round the other way
// round: CPU a stream-second by thread, resident memory, p95 of the latency that the server adds. Then a server of one
// model takes the second up while those sessions are live: how long that takes, and their latency meanwhile, beside as
// many seconds in which nothing is taken up. --build DIR: the server of another build than this one.
const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '12' },
    rounds: { type: 'string', default: '3' },
    build: { type: 'string', default: '.' },
    other: { type: 'string' },
  },
});
const [sessions, seconds, rounds] = [Number(values.sessions), Number(values.seconds), Number(values.rounds)];
const rampMs = 1000;
const settleMs = 2000;
/** As long as a start takes on a slow machine, and some. */
const readSeconds = 12;
const clips = readClips('fixtures/audio/manifest.jsonl');
const folder = mkdtempSync(join(tmpdir(), 'speechfb-models-'));
const running: EmbeddedServer[] = [];
await histogramsReady();
try {
  writeNext();
  const one = await serve('one', policy('own: 100%', false));
  const two = await serve('two', policy('own: 50%, next: 50%', true));
  const idle = [one, two].map(({ server }) => residentMegabytes(server.pid).toFixed(0));
  process.stdout.write(`nobody speaks: ${idle[0]} MB with one model, ${idle[1]} with two\n`);
  // The first read has V8's compiler in it, at both.
  for (const { server } of [one, two]) await read(server, 5);
  await showCosts([one, two]);
  await showStarts(one);
} finally {
  await Promise.all(running.map((server) => server.stop()));
  rmSync(folder, { recursive: true });
}

/** The package that ships under another version. */
function writeNext(): void {
  cpSync('models/en-learner', join(folder, 'next'), { recursive: true });
  const file = join(folder, 'next', 'model.json');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), version: '9.0.0' }));
}

type Served = { name: string; file: string; server: EmbeddedServer };

async function showCosts(servers: readonly Served[]): Promise<void> {
  const head = ['round', 'models', `CPU ms a stream-second: ${serverThreads.join(' + ')}`, 'p95 added ms', 'RSS MB'];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (let round = 1; round <= rounds; round += 1)
    for (const { name, server } of round % 2 === 1 ? servers : servers.toReversed()) {
      const durationMs = rampMs + settleMs + seconds * 1000;
      const cost = steadyCost(server, rampMs + settleMs, durationMs);
      const { p95 } = await read(server, durationMs / 1000);
      const parts = await cost;
      const each = serverThreads.map((thread) => parts?.[thread] ?? Number.NaN);
      const whole = each.reduce((sum, ms) => sum + ms, 0).toFixed(2);
      const text = `${whole} = ${each.map((ms) => ms.toFixed(2)).join(' + ')}`;
      table.push([round, name, text, p95.toFixed(1), residentMegabytes(server.pid).toFixed(0)]);
    }
  process.stdout.write(`${table}\n`);
}

async function showStarts({ file, server }: Served): Promise<void> {
  const head = ['round', 'meanwhile', 'ready after s', 'p95 added ms', 'p99', 'longest'];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (let round = 1; round <= rounds; round += 1)
    for (const starts of round % 2 === 1 ? [false, true] : [true, false]) {
      const reading = read(server, readSeconds);
      await wait(rampMs + settleMs);
      const ready = starts ? await takeUp(file, server) : undefined;
      const { p95, p99, max } = await reading;
      table.push([
        round,
        starts ? 'a model starts' : 'nothing',
        ready?.toFixed(1) ?? '',
        ...[p95, p99, max].map((ms) => ms.toFixed(1)),
      ]);
      replace(file, policy('own: 100%', false));
      await until(server, (text) => !text.includes('version="9.0.0"'));
    }
  process.stdout.write(`${table}\n`);
}

/** Gives the server another policy; resolves with the seconds until the second model takes sessions. */
async function takeUp(file: string, server: EmbeddedServer): Promise<number> {
  const startMs = performance.now();
  replace(file, policy('own: 100%', true));
  await until(server, (text) => text.includes('version="9.0.0"'));
  return (performance.now() - startMs) / 1000;
}

async function until(server: EmbeddedServer, holds: (metrics: string) => boolean): Promise<void> {
  const url = server.url.replace(/^ws(.*)\/v1\/stream$/, 'http$1/metrics');
  while (!holds(await (await fetch(url)).text())) await wait(100);
}

/** The latency that the server adds to feedback, ms. */
async function read({ url }: EmbeddedServer, forSeconds: number) {
  const durationMs = forSeconds * 1000;
  const result = await readTo({ learners: sessions, rampMs, durationMs, clips, url, seed: sessions });
  using recordings = new Recorder(result.recording);
  using recorder = recordings.merged();
  const { feedback_latency } = recorder.distributions;
  const added = (p: number) => (quantile(feedback_latency, p) ?? Number.POSITIVE_INFINITY) - frameMs;
  return { p95: added(0.95), p99: added(0.99), max: added(1) };
}

async function serve(name: string, text: string): Promise<Served> {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, text);
  const limits = ['starts', 'start_phones', 'handshakes'].flatMap((what) => ['--limit', `${what}_per_second=100000`]);
  const usual = [
    join(values.build, 'bin/speechfb'),
    'serve',
    '--port',
    '0',
    '--gateways',
    '1',
    '--log-level',
    'error',
    ...limits,
  ];
  const args = [...usual, '--limit', `fixed_sessions=${2 * sessions}`, '--routing', file];
  const server = await startEmbedded({ file: process.execPath, args });
  running.push(server);
  return { name, file, server };
}

function policy(to: string, hasNext: boolean): string {
  const next = '    - { name: next, kind: local, model: next, languages: [en], price: $0.0004/min, fallback: own }\n';
  return `kind: RoutingPolicy
spec:
  backends:
    - { name: own, kind: local, languages: [en], price: $0.0004/min }
    - { name: others, kind: scripted, price: $0.006/min }
${hasNext ? next : ''}  rules:
    - { name: English, when: { language: [en] }, to: { ${to} } }
    - { name: rest, to: { others: 100% } }
`;
}

/** Another text at once: the server sees no half of it. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.next`, text);
  renameSync(`${file}.next`, file);
}
