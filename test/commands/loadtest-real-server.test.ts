import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { bin } from '../kit/program.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const scratch = temporaryDirectory();

it('the quickstart scenario, cut short, is heard by the server that it starts', async () => {
  const { json, code } = await loadtest('scenarios/quickstart.yaml', ['--duration', '5s']);
  expect(json.totals).toMatchObject({ sessions: 20, sessions_ok: 20 });
  expect(json.counts).toMatchObject({ violations: { count: 0 }, lost_frames: { count: 0 } });
  expect(json.shares.availability.good).toBe(json.shares.availability.total);
  expect(json.distributions.phoneme_final_latency.samples).toBeGreaterThan(200);
  expect(json.stages.asr.p50_ms).toBeGreaterThan(0);
  // Too short to prove 99.9 % availability, and so no pass.
  expect(code).toBe(98);
});

it('a server process that is stopped for two of twenty seconds shows in p95 and p99 as what learners felt', async () => {
  const stopped = readFileSync('scenarios/quickstart.yaml', 'utf8')
    .replace('learners: 20', 'learners: 4')
    .replace('../fixtures', resolve('fixtures'))
    .replace('duration: 25s', 'duration: 20s\n  faults: [{ stopServer: { at: 8s, for: 2s } }]');
  const scenario = join(scratch, 'stopped.yaml');
  writeFileSync(scenario, stopped);
  const { json } = await loadtest(scenario, []);
  const { p50_ms, p95_ms, p99_ms, max_ms } = json.distributions.feedback_latency;
  // A tenth of all feedback was due in the stall and waited 2 s at most: half of that at p95, nine tenths of it at p99.
  expect(p95_ms).toBeGreaterThan(800);
  expect(p99_ms).toBeGreaterThan(1500);
  expect(max_ms).toBeGreaterThan(1900);
  expect(p50_ms).toBeLessThan(p95_ms - 300);
  expect(json.faults).toMatchObject([{ kind: 'stop-server', planned_ms: 8000 }]);
  expect(json.faults[0].until_ms - json.faults[0].at_ms).toBeGreaterThanOrEqual(1990);
  expect(json.shares.availability.good).toBe(json.shares.availability.total);
  expect(json.counts.lost_frames.count).toBe(0);
});

async function loadtest(scenario: string, args: string[]) {
  const out = temporaryDirectory();
  const child: ChildProcess = spawn(process.execPath, [bin, 'loadtest', scenario, ...args, '--out', out]);
  child.stdout?.resume();
  child.stderr?.resume();
  const code = await new Promise<number | null>((done) => child.once('close', done));
  return { code, json: JSON.parse(readFileSync(join(out, 'run.json'), 'utf8')) };
}
