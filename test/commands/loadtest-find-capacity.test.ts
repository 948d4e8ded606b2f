import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { startFakeServer } from '../kit/fake-server.ts';
import { runProgram } from '../kit/program.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const scratch = temporaryDirectory();
const scenario = join(scratch, 'scenario.yaml');
writeFileSync(
  scenario,
  `apiVersion: speechfb.dev/v1alpha1
kind: LoadScenario
metadata: { name: found }
spec:
  learners: { clips: ${resolve('fixtures/audio/manifest.jsonl')}, dutyCycle: 50% }
  load: { learners: 2 }
  duration: 5s
  objectives: [p95(feedback_latency) < 2s, lost_frames == 0]
`,
);
const plan = join(scratch, 'plan.yaml');
writeFileSync(
  plan,
  readFileSync('capacity/live-class.yaml', 'utf8')
    .replace('streams: 120,', 'profile: { curve: found, slo: { value: 2s } },')
    .replace('peakUsers: 20000', 'peakUsers: 10'),
);

it('the curve that a search leaves is one that capacity plans with', async () => {
  const server = await startFakeServer();
  const directory = join(scratch, 'found');
  const search = ['--find-capacity', '--from', '4', '--most', '4', '--step', '2s', '--url', server.url];
  const found = await runProgram(['loadtest', scenario, ...search, '--out', directory]);
  await server.close();
  const curve = JSON.parse(readFileSync(join(directory, 'curve.json'), 'utf8'));
  const [point] = curve.points;
  expect(curve).toMatchObject({ kind: 'CapacityCurve', version: 1, points: [{ learners: 4 }] });
  // Half of four speak at once, more or less.
  expect(point.streams).toBeGreaterThan(1);
  expect(point.streams).toBeLessThan(3.5);
  expect(found.stderr).toContain('trying 4 learners for 2 s');
  // A machine that is busy with other tests makes frames late, and the search says so.
  if (point.outcome === 'generator') return;
  expect(found.stdout).toContain('at least 4 learners, confirmed; more were not tried');
  const planned = await runProgram(['capacity', plan]);
  expect(planned.stdout).toMatch(/ [123] streams? each, by the measured curve/);
  expect([found.code, planned.code]).toEqual([0, 0]);
});

it('a search that is interrupted before it knows anything leaves no curve', async () => {
  const server = await startFakeServer({ mute: true });
  const directory = join(scratch, 'interrupted');
  const search = ['--find-capacity', '--url', server.url, '--out', directory];
  const { code, stdout } = await runProgram(['loadtest', scenario, ...search], {
    when: 'learners are speaking',
    signal: 'SIGINT',
  });
  await server.close();
  expect(stdout).toMatch(/^found: the largest load that ws:.* carries\n\ninterrupted before any load was carried\n$/);
  expect(existsSync(join(directory, 'curve.json'))).toBe(false);
  expect(existsSync(join(directory, 'capacity.json'))).toBe(true);
  expect(code).toBe(130);
});
