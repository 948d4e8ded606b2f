import { parseArgs } from 'node:util';
import { credentials } from '@grpc/grpc-js';
import Table from 'cli-table3';
import { loadModelPackage } from '../src/acoustic/model/load-model.ts';
import { startEmbedded } from '../src/load/service/embedded-server.ts';
import { freePort } from '../src/load/service/free-port.ts';
import { quantileInPlace } from '../src/stats/quantile.ts';
import { createLog } from '../src/telemetry/log.ts';
import { NodeAddresses, parseNodeSource } from '../src/trunk/gateway/node-addresses.ts';
import { NodePool } from '../src/trunk/gateway/node-pool.ts';
import { readingOf } from './trunk/reading.ts';

// How late is feedback for sessions whose node goes, beyond what it was before?
//   npm run bench failover -- --sessions 25 --rounds 3 --kinds move,kill,stop
// All sessions are at one node when another comes up; then the first is drained, killed or stopped. A session's figure
// is its latest feedback in the five seconds that follow, less the p95 of all feedback in the five before.
// To be below: 300 ms for a move, 1500 ms for a loss.
const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '25' },
    rounds: { type: 'string', default: '3' },
    kinds: { type: 'string', default: 'move,kill,stop' },
  },
});
const signals = { move: 'SIGTERM', kill: 'SIGKILL', stop: 'SIGSTOP' } as const;
const windowMs = 5000;
const model = loadModelPackage('models/en-learner');
const table = new Table({
  head: ['what', 'round', 'sessions', 'p95 before', 'extra p50', 'extra p95', 'extra max', 'lost', 'doubled', 'errors'],
  style: { head: [], border: [] },
});
for (const kind of values.kinds.split(',')) {
  const signal = signals[kind as keyof typeof signals];
  if (!signal) throw new Error(`--kinds ${kind}: allowed are ${Object.keys(signals).join(', ')}`);
  for (let round = 1; round <= Number(values.rounds); round += 1) table.push([kind, round, ...(await measure(signal))]);
}
process.stdout.write(`${table}\nms; lost and doubled are final phones\n`);
process.exit();

async function measure(signal: (typeof signals)[keyof typeof signals]): Promise<(string | number)[]> {
  const first = await startNode('127.0.0.1:0');
  const later = `127.0.0.1:${await freePort()}`;
  const pool = new NodePool({
    model,
    nodes: new NodeAddresses([first.url, later].map((address) => parseNodeSource(address))),
    region: '',
    gateway: 'bench',
    credentials: credentials.createInsecure(),
    log: createLog('error', process.stderr),
  });
  await pool.hasNode();
  const readings = Array.from({ length: Number(values.sessions) }, (_, at) => readingOf(pool, model, at));
  const second = await startNode(later);
  try {
    await delay(2000 + windowMs);
    const beforeMs = readings.flatMap((reading) => reading.latenciesMs(performance.now() - windowMs));
    const goesMs = performance.now();
    first.signal(signal);
    await delay(windowMs);
    const usualMs = quantileInPlace(Float64Array.from(beforeMs), 0.95);
    const extraMs = readings.map((reading) => Math.max(...reading.latenciesMs(goesMs)) - usualMs);
    const ends = await Promise.all(readings.map((reading) => reading.end()));
    const sum = (of: (end: (typeof ends)[number]) => number) => ends.reduce((total, end) => total + of(end), 0);
    const counts = [sum((end) => end.lost), sum((end) => end.doubled), sum((end) => end.errors)];
    const at = (p: number) => quantileInPlace(Float64Array.from(extraMs), p).toFixed(0);
    return [
      pool.stats().rehoused.lost + pool.stats().rehoused.moved,
      usualMs.toFixed(0),
      at(0.5),
      at(0.95),
      at(1),
      ...counts,
    ];
  } finally {
    pool.close();
    first.signal('SIGKILL');
    await second.stop();
  }
}

function startNode(address: string) {
  const args = ['bin/speechfb', 'serve', '--role', 'inference', '--node-listen', address, '--log-level', 'error'];
  return startEmbedded({ file: process.execPath, args });
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
