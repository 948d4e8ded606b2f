import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { steadyLoad } from '../src/load/plan/load-profile.ts';
import { planLearners } from '../src/load/plan/plan.ts';
import { type Clip, readClips } from '../src/load/scenario/clips.ts';
import { type EmbeddedServer, startEmbedded } from '../src/load/service/embedded-server.ts';
import { histogramsReady } from '../src/metrics/histogram.ts';
import { Recorder } from '../src/metrics/recorder.ts';
import { behaviour, readAsPlanned } from './load/reading.ts';
import { MemoryLook, type MemorySeen } from './serve/memory-look.ts';

// What memory does a pod of each role need at so many sessions? A gateway and a node, each a process of its own.
//   npm run bench pod-memory -- --steps 0,50,100,200 --turn 60 --duty 0.4
// Learners speak for --turn seconds at a time, --duty of the time, for --turns turns at each step; the same processes go on
// from step to step. Prints a table and what a capacity scenario has as pod.memory. --redis: sessions are kept there, by
// redis-server on this machine; --heap MiB: NODE_OPTIONS=--max-old-space-size of both. Linux only (/proc).
const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '0,50,100,200' },
    turn: { type: 'string', default: '60' },
    duty: { type: 'string', default: '0.4' },
    turns: { type: 'string', default: '2' },
    redis: { type: 'boolean', default: false },
    heap: { type: 'string' },
  },
});
const turnMs = Number(values.turn) * 1000;
const pauseMs = turnMs * (1 / Number(values.duty) - 1);
const arrivalMs = 25;
const settleMs = 5000;
const steps = values.steps.split(',').map(Number);
const about = `MiB; RSS, heap and external: the most of looks a second apart; peak: VmHWM of the step. heap, external: the first thread's (V8);
rest: the program, the threads of scoring, ONNX. Turns of ${values.turn} s, ${Number(values.duty) * 100} % of the time.`;
const roles = ['inference', 'gateway'] as const;
type Role = (typeof roles)[number];
type Row = { sessions: number; seen: Record<Role, MemorySeen>; died: number };

if (values.heap !== undefined) process.env.NODE_OPTIONS = `--max-old-space-size=${values.heap}`;
await histogramsReady();
const clips = [longClip(readClips('fixtures/audio/manifest.jsonl'), turnMs)];
const redis = values.redis ? await startRedis() : undefined;
const [trunk, watch] = [await freePort(), await freePort()];
const node = await serve(
  '--role=inference',
  `--node-listen=127.0.0.1:${trunk}`,
  `--http-listen=127.0.0.1:${watch}`,
  roomy('slots'),
);
const gateway = await serve(
  ...['--role=gateway', '--port=0', `--node=127.0.0.1:${trunk}`, roomy('max-sessions')],
  // However busy the machine is that this is measured on, nobody is sent away for it.
  ...[`fixed_sessions=${Math.max(10, ...steps)}`, 'overload_delay_ms=10000', 'idle_timeout_ms=600000'].map(
    (limit) => `--limit=${limit}`,
  ),
  ...(redis ? [`--store=redis://127.0.0.1:${redis.port}/0`] : []),
);
const pods = {
  inference: new MemoryLook(node.pid, `http://127.0.0.1:${watch}/metrics`),
  gateway: new MemoryLook(gateway.pid, `${gateway.url.replace(/^ws/, 'http').replace(/\/v1\/.*/, '')}/metrics`),
};
try {
  const rows: Row[] = [];
  for (const sessions of steps) rows.push(await measure(sessions));
  process.stdout.write(`${tableOf(rows)}\n${about}\n\n${memoryYaml(rows)}`);
} finally {
  await gateway.stop();
  await node.stop();
  redis?.end();
}
process.exit();

async function measure(sessions: number): Promise<Row> {
  for (const role of roles) pods[role].begin();
  const ended = sessions === 0 ? wait(2 * settleMs).then(() => 0) : read(sessions);
  const timer = setInterval(() => void Promise.all(roles.map((role) => pods[role].look())), 1000);
  const died = await ended;
  clearInterval(timer);
  const seen = { inference: pods.inference.seen(), gateway: pods.gateway.seen() };
  const row = { sessions, seen, died };
  process.stderr.write(`${cells(row).join('  ')}\n`);
  return row;
}

/** Everybody comes, speaks turn after turn and goes; how many the server refused or lost. */
async function read(learners: number): Promise<number> {
  const rampMs = learners * arrivalMs;
  const durationMs = rampMs + settleMs + Number(values.turns) * (turnMs + pauseMs);
  // At first somebody is in each part of a turn, as later.
  const pause = { leastMs: pauseMs / 2, mostMs: 1.5 * pauseMs };
  const plans = planLearners({
    shape: steadyLoad(learners, rampMs, durationMs),
    behaviour: { ...behaviour, pause },
    seed: learners,
    clips,
  });
  const result = await readAsPlanned({ clips, plans, url: gateway.url, durationMs, seed: learners });
  for (const { text, count } of result.sessionErrors) process.stderr.write(`  ${count} x ${text}\n`);
  using recordings = new Recorder(result.recording);
  using recorder = recordings.merged();
  return recorder.tally.sessions_refused + recorder.tally.sessions_died;
}

/** One reading as long as a turn: clips one after the other, and their texts. */
function longClip(given: readonly Clip[], durationMs: number): Clip {
  const rate = given[0]!.sampleRateHz;
  const usable = given.filter(({ sampleRateHz }) => sampleRateHz === rate);
  const parts: Clip[] = [];
  for (let ms = 0; ms < durationMs; ms += parts.at(-1)!.durationMs) parts.push(usable[parts.length % usable.length]!);
  const pcm = Buffer.concat(parts.map((part) => part.pcm));
  const { words: _, ...first } = parts[0]!;
  return {
    ...first,
    id: 'a turn',
    text: parts.map(({ text }) => text).join(' '),
    durationMs: parts.reduce((sum, part) => sum + part.durationMs, 0),
    pcm,
  };
}

function tableOf(rows: readonly Row[]): string {
  const columns = ['RSS', 'peak', 'heap', 'external', 'rest'];
  const table = new Table({
    head: ['sessions', ...roles.flatMap((role) => columns.map((column) => `${role} ${column}`)), 'died'],
    style: { head: [], border: [] },
  });
  for (const row of rows) table.push(cells(row));
  return String(table);
}

function cells({ sessions, seen, died }: Row): (string | number)[] {
  const mebibytes = ({ residentMib, peakMib, heapMib, externalMib }: MemorySeen) =>
    [residentMib, peakMib, heapMib, externalMib, residentMib - heapMib - externalMib].map((mib) => mib.toFixed(0));
  return [sessions, ...roles.flatMap((role) => mebibytes(seen[role])), died];
}

/** As a capacity scenario has it. */
function memoryYaml(rows: readonly Row[]): string {
  const points = (role: Role) =>
    rows.map(({ sessions, seen }) => `{sessions: ${sessions}, peak: ${Math.ceil(seen[role].peakMib)}Mi}`).join(', ');
  return `memory:\n${roles.map((role) => `  ${role}: [${points(role)}]\n`).join('')}`;
}

/** Neither role says no to a session that is measured. */
function roomy(limit: 'slots' | 'max-sessions'): string {
  return `--${limit}=${Math.max(10, ...steps)}`;
}

function serve(...args: readonly string[]): Promise<EmbeddedServer> {
  return startEmbedded({
    file: process.execPath,
    args: ['bin/speechfb', 'serve', '--log-level', 'error', ...args],
  });
}

async function startRedis(): Promise<{ port: number; end(): void }> {
  const port = await freePort();
  const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], {
    stdio: 'ignore',
  });
  await wait(1000);
  return { port, end: () => child.kill() };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === 'object' && bound ? bound.port : 0));
    });
  });
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
