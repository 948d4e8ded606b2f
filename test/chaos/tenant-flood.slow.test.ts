import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startEmbedded } from '../../src/load/service/embedded-server.ts';
import { bin, runProgram } from '../kit/program.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

type Counts = Record<'sessions_refused' | 'violations' | 'lost_frames', { count: number }>;
type Run = { totals: { sessions: number }; counts: Counts; session_errors: { count: number; text: string }[] };

it('a tenant at ten times its cap is refused beyond it, and another tenant loses nothing', async () => {
  const folder = temporaryDirectory();
  const [greedy, other] = [await tenant(folder, 'greedy', 4), await tenant(folder, 'modest', 20)];
  const tenants = join(folder, 'tenants.yaml');
  writeFileSync(
    tenants,
    `apiVersion: speechfb.dev/v1alpha1\nkind: Tenants\nspec:\n  tenants:\n${greedy.entry}${other.entry}`,
  );
  const server = await startEmbedded({
    file: process.execPath,
    args: [bin, 'serve', '--port', '0', '--log-level', 'error', '--tenants', tenants],
  });
  onTestFinished(() => server.stop());
  const [flood, quiet] = await Promise.all([
    load(folder, server.url, greedy.tokenFile, 40),
    load(folder, server.url, other.tokenFile, 4),
  ]);
  expect(countsOf(flood)).toEqual({ sessions: 40, refused: 36, violations: 0, lost: 0 });
  expect(flood.session_errors).toEqual([{ count: 36, text: expect.stringContaining('its cap is 4 (maxSessions)') }]);
  expect(countsOf(quiet)).toEqual({ sessions: 4, refused: 0, violations: 0, lost: 0 });
  expect(quiet.session_errors).toEqual([]);
}, 120_000);

function countsOf({ counts, totals }: Run) {
  const { sessions_refused: refused, violations, lost_frames: lost } = counts;
  return { sessions: totals.sessions, refused: refused.count, violations: violations.count, lost: lost.count };
}

/** A tenant with so many sessions, as the file has it, and a file with its token. */
async function tenant(folder: string, name: string, maxSessions: number) {
  const { stdout } = await runProgram(['token', 'new', '--tenant', name, '--json']);
  const { token, entry } = JSON.parse(stdout);
  const tokenFile = join(folder, `${name}.token`);
  writeFileSync(tokenFile, `${token}\n`);
  const tokens = `tokens: [${JSON.stringify(entry)}]`;
  return { tokenFile, entry: `    - { name: ${name}, limits: { maxSessions: ${maxSessions} }, ${tokens} }\n` };
}

/** What so many learners with one token measured, ten seconds long. */
async function load(folder: string, url: string, tokenFile: string, learners: number): Promise<Run> {
  const file = join(folder, `${learners}.yaml`);
  writeFileSync(
    file,
    `apiVersion: speechfb.dev/v1alpha1
kind: LoadScenario
metadata: { name: learners-${learners} }
spec:
  target: { url: "${url}", tokenFile: "${tokenFile}" }
  learners: { clips: ${resolve('fixtures/audio/manifest.jsonl')} }
  load: { learners: ${learners}, ramp: 1s }
  duration: 10s
  objectives: [lost_frames == 0]
`,
  );
  const out = join(folder, `out-${learners}`);
  await runProgram(['loadtest', file, '--out', out]);
  return JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'));
}
