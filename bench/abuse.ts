import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { readClips } from '../src/load/scenario/clips.ts';
import { type EmbeddedServer, startEmbedded } from '../src/load/service/embedded-server.ts';
import { freePort } from '../src/load/service/free-port.ts';
import { quantile } from '../src/metrics/definitions.ts';
import { histogramsReady } from '../src/metrics/histogram.ts';
import { Recorder } from '../src/metrics/recorder.ts';
import { attacks } from './abuse/attacks.ts';
import { commandAbuses, runCommandAbuse } from './abuse/commands.ts';
import { PeakMemory } from './abuse/peak-memory.ts';
import type { Attack } from './abuse/target.ts';
import { readTo } from './load/reading.ts';

// What do well-behaved learners feel beside somebody who abuses the server?
//   npm run abuse -- --only next-utterance,one-token --seconds 12 --program /another/clone/bin/speechfb
//   npm run abuse -- --only idle-10k-sessions --gateway     # a gateway beside an inference node, in place of a server that is both
// For each attack a server of its own: four learners (50 beside 10,000 sockets) read to it undisturbed, then the attack begins, in a process
// of its own, and as many more read beside it. Held: their p95 stays under twice the quiet one, none is refused, dies or waits for
// ever, and the server's memory under --most-megabytes. Then programs are fed what hostile servers and files say.
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seconds: { type: 'string', default: '12' },
    lead: { type: 'string', default: '5' },
    'most-megabytes': { type: 'string', default: '600' },
    program: { type: 'string', default: 'bin/speechfb' },
    gateway: { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds);
const mostMegabytes = Number(values['most-megabytes']);
const program = resolve(values.program);
const only = values.only?.split(',');
const tokens = { learner: 'a'.repeat(24), mallory: 'b'.repeat(24) };
/** What feedback takes for a learner alone on a quiet machine varies by this much; twice of less is no disturbance. */
const leastBoundMs = 100;

mkdirSync('run/abuse', { recursive: true });
const tokenFile = 'run/abuse/tokens';
writeFileSync(
  tokenFile,
  Object.entries(tokens)
    .map((entry) => `${entry.join(' ')}\n`)
    .join(''),
);
const clips = readClips('fixtures/audio/manifest.jsonl');
await histogramsReady();

const served = new Table({
  head: [
    'attack',
    'p95 quiet',
    'p95 beside',
    'p99',
    'never',
    'refused',
    'died',
    'RSS MB',
    'log kB',
    'in/out MB',
    'answers',
    '',
  ],
  style: { head: [], border: [] },
});
for (const attack of attacks) {
  if (only && !only.includes(attack.name)) continue;
  const lacking = lackOfFiles(attack);
  const row = lacking === undefined ? await measure(attack) : [attack.name, lacking];
  served.push(row);
  process.stderr.write(`${row.join('  ')}\n`);
}
if (served.length > 0) process.stdout.write(`${served}\n`);

const commands = new Table({
  head: ['abuse of a command', 'ended', 's', 'RSS MB', 'last words', ''],
  style: { head: [], border: [] },
});
for (const abuse of commandAbuses) {
  if (only && !only.includes(abuse.name)) continue;
  const row = await runCommandAbuse(abuse, program);
  commands.push(row);
  process.stderr.write(`${row.join('  ')}\n`);
}
if (commands.length > 0) process.stdout.write(`${commands}\n`);

/** Why a row cannot be measured: neither side may have as many files open. */
function lackOfFiles({ openFiles = 0 }: Attack): string | undefined {
  const limit = spawnSync('/bin/sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).stdout.trim();
  if (limit === 'unlimited' || Number(limit) >= openFiles) return undefined;
  return `not measured: ulimit -n is ${limit}; ${openFiles} are needed`;
}

async function measure(attack: Attack): Promise<(string | number)[]> {
  const { learners = 4, leadSeconds = Number(values.lead), serve = [] } = attack;
  const most = attack.mostMegabytes ?? mostMegabytes;
  const log = `run/abuse/${attack.name}.log`;
  const guard = attack.tokens ? ['--token-file', tokenFile] : [];
  const nodeAddress = attack.isAtNode
    ? `127.0.0.1:${await freePort()}`
    : values.gateway
      ? `unix:${resolve('run/abuse/node.sock')}`
      : undefined;
  const node = nodeAddress === undefined ? undefined : startNode(nodeAddress, `run/abuse/${attack.name}-node.log`);
  const role = nodeAddress === undefined ? [] : ['--role', 'gateway', '--node', nodeAddress];
  const server = await startEmbedded({
    file: '/bin/sh',
    args: [
      '-c',
      `exec "$0" "$@" 2>${log}`,
      process.execPath,
      program,
      'serve',
      '--port',
      '0',
      ...role,
      ...guard,
      ...serve,
    ],
  });
  const memory = new PeakMemory(attack.isAtNode && node?.pid !== undefined ? node.pid : server.pid);
  const quiet = await read(server, attack.tokens, { learners, forSeconds: 8 });
  const attacker = attackOn(attack, attack.isAtNode ? `http://${nodeAddress}` : server.url);
  await new Promise((resume) => setTimeout(resume, leadSeconds * 1000));
  const beside = await read(server, attack.tokens, { learners, forSeconds: seconds });
  const seen = await attacker.end();
  memory.close();
  await server.stop();
  node?.kill('SIGTERM');
  const held =
    beside.p95 <= Math.max(leastBoundMs, 2 * quiet.p95) &&
    beside.never + beside.refused + beside.died === 0 &&
    memory.megabytes <= most;
  return [
    attack.name,
    quiet.p95.toFixed(0),
    beside.p95.toFixed(0),
    beside.p99.toFixed(0),
    beside.never,
    beside.refused,
    beside.died,
    memory.megabytes.toFixed(0),
    (statSync(attack.isAtNode ? `run/abuse/${attack.name}-node.log` : log).size / 1000).toFixed(0),
    `${(seen.sent / 1e6).toFixed(1)}/${(seen.received / 1e6).toFixed(1)}`,
    Object.entries(seen.answers)
      .map(([answer, count]) => `${answer} ${count}`)
      .join(', '),
    held ? 'held' : 'NOT HELD',
  ];
}

/** An inference node with room for everybody. */
function startNode(address: string, log: string): ChildProcess {
  const args = ['serve', '--role', 'inference', '--node-listen', address, '--slots', '12000', '--log-level', 'warn'];
  const stderr = openSync(log, 'w');
  const node = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'ignore', stderr] });
  closeSync(stderr);
  return node;
}

/** Learners who read for some seconds, in a process of their own. */
async function read(
  server: EmbeddedServer,
  hasTokens: boolean,
  { learners, forSeconds }: { learners: number; forSeconds: number },
) {
  const token = hasTokens ? tokens.learner : undefined;
  const reading = {
    learners,
    rampMs: Math.max(500, 50 * learners),
    durationMs: forSeconds * 1000,
    clips,
    url: server.url,
    token,
    seed: 1,
  };
  const result = await readTo(reading);
  using recordings = new Recorder(result.recording);
  using recorder = recordings.merged();
  const { feedback_latency } = recorder.distributions;
  const at = (p: number) => quantile(feedback_latency, p) ?? Number.POSITIVE_INFINITY;
  const { sessions_refused, sessions_died } = recorder.tally;
  return {
    p95: at(0.95),
    p99: at(0.99),
    never: feedback_latency.never,
    refused: sessions_refused,
    died: sessions_died,
  };
}

type Seen = { sent: number; received: number; answers: Record<string, number> };

function attackOn({ name, tokens: hasTokens }: Attack, url: string): { end(): Promise<Seen> } {
  const token = hasTokens ? [tokens.mallory] : [];
  const child: ChildProcess = spawn(process.execPath, ['run/bench/bench/abuse/attacker.js', name, url, ...token], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout?.on('data', (chunk) => {
    text += chunk;
  });
  const closed = new Promise((resume) => child.once('close', resume));
  return {
    async end() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
      await closed;
      clearTimeout(timer);
      return text === '' ? { sent: Number.NaN, received: Number.NaN, answers: {} } : JSON.parse(text);
    },
  };
}
