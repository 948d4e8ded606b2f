/**
 * What `speechfb budget` costs on one core: a file of traces written, read, decomposed with 200 bootstrap replicates, and a
 * what-if answered; and the whole command on a small file, start included. Run: npm run build && npm run bench budget [TRACES]
 */
import { spawnSync } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createRandom } from '../src/stats/random.ts';

const card = 'budgets/mobile-500ms.yaml';
const traces = Number(process.argv[2] ?? 1_000_000);
const means = {
  uplink: 40,
  downlink: 15,
  ingress: 5,
  queue: 7,
  capture: 12,
  features: 8,
  asr: 170,
  scoring: 20,
  emit: 6,
};
const directory = mkdtempSync(join(tmpdir(), 'bench-budget-'));
try {
  const small = join(directory, 'small.ndjson');
  const large = join(directory, 'large.ndjson');
  await writeTraces(small, 1000);
  await writeTraces(large, traces);
  report('start alone (--version)', ['--version']);
  report('the card, no data', ['budget', card]);
  report('1,000 traces', ['budget', card, '--traces', small, '--what-if', 'asr+100ms']);
  report(`${traces.toLocaleString('en')} traces`, ['budget', card, '--traces', large]);
  report(`${traces.toLocaleString('en')} traces and a what-if`, [
    'budget',
    card,
    '--traces',
    large,
    '--what-if',
    'asr+100ms',
  ]);
} finally {
  rmSync(directory, { recursive: true });
}

/** Runs the command in a process of its own and prints wall time, CPU time and peak memory. */
function report(what: string, args: readonly string[]): void {
  const cli = pathToFileURL(resolve('dist/cli.js')).href;
  const script = `import { main } from ${JSON.stringify(cli)};
    await main(${JSON.stringify(args)});
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    process.stderr.write(JSON.stringify({ cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, rssMegabytes: maxRSS / 1024 }));`;
  const startedMs = performance.now();
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  const wallSeconds = (performance.now() - startedMs) / 1000;
  const used: { cpuSeconds: number; rssMegabytes: number } = JSON.parse(stderr.slice(stderr.lastIndexOf('{')));
  const figures = `${wallSeconds.toFixed(2)} s, ${used.cpuSeconds.toFixed(2)} s of CPU, ${used.rssMegabytes.toFixed(0)} MB`;
  console.log(`${what.padEnd(36)} ${figures}`);
}

/** Gamma-like stage times about their means, with every trace stage of the card's budget. */
async function writeTraces(file: string, count: number): Promise<void> {
  const random = createRandom(1);
  const out = createWriteStream(file);
  for (let i = 0; i < count; ) {
    const lines: string[] = [];
    for (; lines.length < 5000 && i < count; i++) {
      const stages: Record<string, number> = {};
      let total = 0;
      for (const [stage, mean] of Object.entries(means)) {
        const ms = round(mean * (0.4 - 0.6 * Math.log(1 - random.uniform())));
        stages[stage] = ms;
        total += ms;
      }
      const who = { session: `learner-${i % 500}`, profile: ['4g', 'lte', 'wifi'][i % 3], language: 'en-US' };
      lines.push(`${JSON.stringify({ at_ms: i, ...who, total_ms: round(total + 1), stages })}\n`);
    }
    if (!out.write(lines.join(''))) await new Promise<void>((done) => out.once('drain', () => done()));
  }
  await new Promise<void>((done) => {
    out.end(() => done());
  });
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
