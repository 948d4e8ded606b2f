import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { ProcessTree } from './load/process-tree.ts';
import { type Tool, tools } from './load/tools.ts';

// What does a load generator cost, and does it tell the truth? The same work for each: phones that send 640 bytes each 20 ms to
// a server that answers every frame, and that stands still for a second at a known time. The server knows what phones on
// that schedule felt; each tool's p99 is held against it. bench/load/README.md says how to get the peers.
//   npm run bench load -- --sessions 700 --few 100 --seconds 20 --k6 ~/go/bin/k6 --artillery bench/load/peers/node_modules/.bin/artillery
const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '700' },
    few: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '20' },
    only: { type: 'string', default: '' },
    k6: { type: 'string', default: `${process.env.HOME}/go/bin/k6` },
    artillery: { type: 'string', default: 'bench/load/peers/node_modules/.bin/artillery' },
  },
});
const many = Number(values.sessions);
const few = Number(values.few);
const seconds = Number(values.seconds);
const rampSeconds = 2;
const stall = { atMs: ((rampSeconds + seconds) * 1000) / 2, forMs: 1000 };

const table = new Table({
  head: ['', 'frames', 'us CPU a frame', 'RSS MB', 'KB a session', 'p99 felt', 'p99 reported', 'error'],
  colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right', 'right'],
  style: { head: [], border: [], compact: true },
});
for (const tool of tools(values.k6, values.artillery)) {
  if (values.only !== '' && !values.only.split(',').includes(tool.name)) continue;
  if (tool.missing !== undefined) {
    table.push([tool.name, { colSpan: 7, content: `skipped: ${tool.missing}` }]);
    continue;
  }
  try {
    const small = await measure(tool, few);
    const large = await measure(tool, many);
    table.push(row(tool.name, small, large));
  } catch (error) {
    table.push([tool.name, { colSpan: 7, content: `failed: ${(error as Error).message.slice(0, 200)}` }]);
  }
}
process.stdout.write(
  `${table}\n${many} sessions of 50 frames/s for ${seconds} s, one answer a frame, a stall of 1 s; the whole tool, start-up and all.\n` +
    `KB a session: from ${few} to ${many} sessions. p99 in ms, felt: by phones on an absolute schedule.\n`,
);

type Measured = { frames: number; cpuSeconds: number; peakBytes: number; feltP99Ms: number; p99Ms: number };

async function measure(tool: Tool, sessions: number): Promise<Measured> {
  const server = spawn(
    process.execPath,
    [
      ...['run/bench/bench/load-server.js', '--stall-at', `${stall.atMs}`, '--stall-for', `${stall.forMs}`],
      ...(tool.overGrpc ? ['--riva'] : []),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let said = '';
  server.stdout.on('data', (chunk) => {
    said += chunk;
  });
  while (!said.includes('\n')) await once(server.stdout, 'data');
  const base = /\w+:\/\/[^/\s]+/.exec(said)![0];
  const { file, args, env } = tool.command(base, { sessions, seconds, rampSeconds });
  const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const tree = new ProcessTree(child.pid!);
  const watch = setInterval(() => tree.look(), 250);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr = (stderr + chunk).slice(-1000);
  });
  await once(child, 'close');
  clearInterval(watch);
  server.kill('SIGTERM');
  await once(server, 'close');
  const felt = JSON.parse(/felt (.*)/.exec(said)?.[1] ?? 'null');
  if (child.exitCode !== 0) throw new Error(`exit code ${child.exitCode}: ${stderr.trim().split('\n').at(-1)}`);
  const report = tool.report(stdout);
  process.stderr.write(
    `${tool.name}, ${sessions} sessions: ${JSON.stringify({ ...report, felt })} ${stdout.slice(-160)}`,
  );
  return { ...report, cpuSeconds: tree.cpuSeconds, peakBytes: tree.peakBytes, feltP99Ms: felt.p99Ms };
}

function row(name: string, small: Measured, large: Measured): (string | number)[] {
  const kilobytes = (large.peakBytes - small.peakBytes) / (many - few) / 1024;
  return [
    name,
    large.frames,
    ((large.cpuSeconds * 1e6) / large.frames).toFixed(1),
    (large.peakBytes / 1e6).toFixed(0),
    kilobytes.toFixed(0),
    large.feltP99Ms.toFixed(0),
    Number.isNaN(large.p99Ms) ? 'not told' : large.p99Ms.toFixed(0),
    Number.isNaN(large.p99Ms) ? '' : `${(large.p99Ms - large.feltP99Ms).toFixed(0)}`,
  ];
}
