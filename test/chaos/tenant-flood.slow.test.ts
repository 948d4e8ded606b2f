import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { runProgram } from '../kit/program.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

type Slice = {
  labels: { tenant?: string };
  totals: { sessions: number };
  counts: Record<'sessions_refused' | 'refusals' | 'violations' | 'lost_frames', { count: number }>;
};

it('a tenant at ten times its cap is refused beyond it, and another tenant loses nothing', async () => {
  const folder = temporaryDirectory();
  const text = readFileSync('scenarios/chaos/tenant-flood.yaml', 'utf8')
    .replace('../../fixtures', resolve('fixtures'))
    .replace(/^ +retry:.*\n/m, '')
    .replace('weight: 50', 'weight: 4')
    .replace('learners: 90', 'learners: 44')
    .replace('ramp: 5s', 'ramp: 1s')
    .replace('duration: 40s', 'duration: 10s');
  writeFileSync(join(folder, 'flood.yaml'), text);
  const out = join(folder, 'out');
  const { stderr } = await runProgram(['loadtest', join(folder, 'flood.yaml'), '--out', out]);
  const { slices, session_errors: errors } = JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'));
  const of = (tenant: string): Slice => slices.find(({ labels }: Slice) => labels.tenant === tenant);
  const [greedy, modest] = [of('greedy'), of('modest')];
  const cap = 4;
  const refused = greedy.totals.sessions - cap;
  expect(greedy.totals.sessions, stderr).toBeGreaterThanOrEqual(39);
  expect(greedy.totals.sessions + modest.totals.sessions).toBe(44);
  expect(countsOf(greedy)).toEqual({ refused, violations: 0, lost: 0 });
  expect(countsOf(modest)).toEqual({ refused: 0, violations: 0, lost: 0 });
  expect(errors.map(({ text }: { text: string }) => text)).toEqual(
    errors.map(() => expect.stringContaining('its cap is 4 (maxSessions)')),
  );
  expect(readFileSync(join(out, 'service.log'), 'utf8')).toContain('"reason":"tenant_cap"');
});

function countsOf({ counts }: Slice) {
  const { sessions_refused: refused, violations, lost_frames: lost } = counts;
  return { refused: refused.count, violations: violations.count, lost: lost.count };
}
