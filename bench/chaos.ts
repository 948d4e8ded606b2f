import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import Table from 'cli-table3';
import { quantileInPlace } from '../src/stats/quantile.ts';

// Does every scenario of chaos pass in full, and what does it cost a learner?
//   npm run bench chaos -- --only kill-inference,zone-loss --out results
// One after the other, with nothing beside them. A session's extra latency is its slowest feedback from the first fault
// until ten seconds after the last, less the p95 of all feedback before; of feedback that came. Exits 99 unless all
// pass. With --out the run directories stay, each with the log of its service.
const { values } = parseArgs({ options: { only: { type: 'string' }, out: { type: 'string' } } });
const folder = 'scenarios/chaos';
const known = readdirSync(folder).map((file) => file.replace(/\.yaml$/, ''));
const names = values.only?.split(',') ?? known;
for (const name of names) if (!known.includes(name)) throw new Error(`--only ${name}: allowed are ${known.join(', ')}`);
const out = values.out ?? mkdtempSync(join(tmpdir(), 'speechfb-chaos-'));
const table = new Table({
  head: [
    'scenario',
    'verdict',
    'p95 before',
    'extra p50',
    'extra p95',
    'extra max',
    'lost',
    'broken rules',
    'died',
    's',
  ],
  style: { head: [], border: [] },
});
const verdicts = { 0: 'pass', 98: 'invalid', 99: 'fail' };
const settleMs = 10_000;
let arePassed = true;
for (const name of names) {
  const startMs = performance.now();
  const code = await loadtest(name);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  arePassed &&= code === 0;
  const verdict = verdicts[code as keyof typeof verdicts] ?? `exit ${code}`;
  table.push([name, verdict, ...(code in verdicts ? measuredOf(join(out, name)) : Array(7).fill('')), seconds]);
}
process.stdout.write(`${table}\nms; extra latency by session\n`);
if (values.out === undefined) rmSync(out, { recursive: true, force: true });
process.exit(arePassed ? 0 : 99);

async function loadtest(name: string): Promise<number> {
  const args = ['bin/speechfb', 'loadtest', join(folder, `${name}.yaml`), '--out', join(out, name)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

/** The figures of a run directory, as cells. */
function measuredOf(directory: string): (string | number)[] {
  const { faults, counts } = JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8')) as Run;
  const cells = [counts.lost_frames.count, counts.violations.count, counts.sessions_died.count];
  if (faults.length === 0) return ['', '', '', '', ...cells];
  const fromMs = Math.min(...faults.map(({ at_ms: atMs }) => atMs));
  const untilMs = Math.max(...faults.map(({ at_ms: atMs, until_ms: endMs }) => endMs ?? atMs)) + settleMs;
  const before: number[] = [];
  const slowest = new Map<string, number>();
  const lines = gunzipSync(readFileSync(join(directory, 'traces.ndjson.gz')))
    .toString('utf8')
    .split('\n');
  for (const line of lines) {
    if (line === '') continue;
    const { at_ms: atMs, session, total_ms: totalMs } = JSON.parse(line) as Trace;
    if (atMs < fromMs) before.push(totalMs);
    else if (atMs < untilMs) slowest.set(session, Math.max(slowest.get(session) ?? 0, totalMs));
  }
  if (before.length === 0 || slowest.size === 0) return ['', '', '', '', ...cells];
  const usualMs = quantileInPlace(Float64Array.from(before), 0.95);
  const extraMs = Float64Array.from(slowest.values(), (ms) => ms - usualMs);
  return [usualMs.toFixed(0), ...[0.5, 0.95, 1].map((p) => quantileInPlace(extraMs, p).toFixed(0)), ...cells];
}

type Run = {
  faults: { at_ms: number; until_ms?: number | null }[];
  counts: Record<'lost_frames' | 'violations' | 'sessions_died', { count: number }>;
};
type Trace = { at_ms: number; session: string; total_ms: number };
