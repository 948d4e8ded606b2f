import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { readClips } from '../src/load/scenario/clips.ts';
import { startEmbedded } from '../src/load/service/embedded-server.ts';
import { quantile } from '../src/metrics/definitions.ts';
import { histogramsReady } from '../src/metrics/histogram.ts';
import { reportStages } from '../src/metrics/latency-stages.ts';
import { Recorder } from '../src/metrics/recorder.ts';
import type { GeneratorResult } from '../src/results/merge-results.ts';
import { residentMegabytes } from './abuse/peak-memory.ts';
import { frameMs, readTo } from './load/reading.ts';
import { overloadTable, overloadVariants } from './serve/overload.ts';
import { type StreamSecond, serverThreads, steadyCost } from './serve/thread-cpu.ts';

// How many sessions does a machine carry, the load generator among them, and what bounds it?
//   npm run bench serve -- --steps 50,100,200 --seconds 12
// Server-added latency is feedback latency beyond the frame itself; the model's look-ahead is no part of it, because
// feedback says up to where it has heard. The target: 200 sessions on two cores at p95 <= 100 ms.
//   npm run bench serve -- --overload --carries 180 --variants plain,half,neighbour,bad
// What becomes of those inside when three times as many as it carries come within --ramp seconds, for --seconds (60);
// --set limit_growth=0.05: a limit of the server, as `serve --limit` takes it; any number of them.
const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '50,100,150,200,250,300' },
    seconds: { type: 'string' },
    overload: { type: 'boolean', default: false },
    carries: { type: 'string', default: '180' },
    set: { type: 'string', multiple: true, default: [] },
    ramp: { type: 'string', default: '20' },
    variants: { type: 'string', default: overloadVariants.join(',') },
    limit: { type: 'string', default: '100' },
  },
});
const limitMs = Number(values.limit);
/** The generator needs a moment to start, and the last who came another to read steadily. */
const settleMs = 2000;
const clips = readClips('fixtures/audio/manifest.jsonl');
await histogramsReady();
if (values.overload) {
  process.stdout.write(
    await overloadTable({
      clips,
      carries: Number(values.carries),
      set: values.set,
      rampMs: Number(values.ramp) * 1000,
      durationMs: Number(values.seconds ?? 60) * 1000,
      variants: overloadVariants.filter((variant) => values.variants.split(',').includes(variant)),
    }),
  );
  process.exit();
}
const server = await startEmbedded({
  file: process.execPath,
  args: ['bin/speechfb', 'serve', '--port', '0', '--max-sessions', '2000', '--log-level', 'error'],
});

const table = new Table({
  head: [
    'sessions',
    'p50',
    'p95',
    'p99',
    'never',
    'refused',
    'server cores',
    'CPU ms a stream-second',
    'RSS MB',
    'generator cores',
    'late p99',
    'bound by',
  ],
  style: { head: [], border: [] },
});
let best = 0;
for (const sessions of values.steps.split(',').map(Number)) {
  const step = await measure(sessions);
  table.push(step.row);
  process.stderr.write(`${step.row.join('  ')}\n`);
  if (!step.held) break;
  best = sessions;
}
await server.stop();
process.stdout.write(
  `${table}\nadded latency in ms beyond the ${frameMs} ms frame; cores are CPU seconds a second; of a stream-second: ${serverThreads.join(' + ')}\n`,
);
process.stdout.write(
  `${best} sessions on ${cpus().length} cores held p95 <= ${limitMs} ms, generator among them: ${best / cpus().length} a core\n`,
);

async function measure(sessions: number) {
  // The server takes 50 new sessions a second.
  const rampMs = sessions * 25;
  const durationMs = rampMs + Number(values.seconds ?? 12) * 1000;
  const before = { serverSeconds: cpuSeconds(server.pid), atMs: performance.now() };
  const reading = { learners: sessions, rampMs, durationMs, clips, url: server.url, seed: sessions };
  const [result, cost] = await Promise.all([readTo(reading), steadyCost(server, rampMs + settleMs, durationMs)]);
  const seconds = (performance.now() - before.atMs) / 1000;
  const serverCores = (cpuSeconds(server.pid) - before.serverSeconds) / seconds;
  return judge(sessions, result, { serverCores, cost, ownCores: result.generators[0]!.cpu });
}

type Use = { serverCores: number; cost: StreamSecond; ownCores: number };

function judge(sessions: number, result: GeneratorResult, use: Use) {
  using recordings = new Recorder(result.recording);
  using recorder = recordings.merged();
  const { feedback_latency, send_lateness } = recorder.distributions;
  const added = (p: number) => (quantile(feedback_latency, p) ?? Number.POSITIVE_INFINITY) - frameMs;
  const stageP95 = reportStages
    .filter((stage) => stage !== 'capture')
    .map((stage) => ({ stage, ms: quantile(recorder.stages[stage], 0.95) ?? 0 }))
    .sort((a, b) => b.ms - a.ms);
  const refused = recorder.tally.sessions_refused + recorder.tally.sessions_died;
  const held = added(0.95) <= limitMs && refused === 0;
  const row = [
    sessions,
    ...[0.5, 0.95, 0.99].map((p) => added(p).toFixed(1)),
    feedback_latency.never,
    refused,
    use.serverCores.toFixed(2),
    printCost(use.cost),
    residentMegabytes(server.pid).toFixed(0),
    use.ownCores.toFixed(2),
    (quantile(send_lateness, 0.99) ?? 0).toFixed(1),
    stageP95
      .slice(0, 2)
      .map(({ stage, ms }) => `${stage} ${ms.toFixed(0)}`)
      .join(', '),
  ];
  return { row, held };
}

function printCost(cost: StreamSecond): string {
  if (!cost) return '-';
  const parts = serverThreads.map((thread) => cost[thread]);
  const whole = parts.reduce((sum, ms) => sum + ms, 0);
  return `${whole.toFixed(2)} = ${parts.map((ms) => ms.toFixed(2)).join(' + ')}`;
}

/** CPU seconds of a process and all of its threads; Linux only, elsewhere NaN. */
function cpuSeconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return Number.NaN;
  }
}
