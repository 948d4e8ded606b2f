import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { rulesText } from '../../../src/slo/service-level/rules.ts';
import { levelOf, oneObjective } from '../../kit/service-level-kit.ts';
import { temporaryDirectory } from '../../kit/temporary-directory.ts';

const shipped = levelOf(readFileSync('slo/live-feedback.yaml', 'utf8'));
const promtool = spawnSync('promtool', ['--version']).status === 0;
if (!promtool)
  console.warn('SKIPPED: promtool is not installed (Debian: prometheus); the rules were not held against it');

describe.skipIf(!promtool)('promtool', () => {
  const folder = temporaryDirectory();
  const run = (...args: string[]) => spawnSync('promtool', args, { cwd: folder, encoding: 'utf8' });

  it.each([
    ['the service level that ships', shipped],
    ['default alerts', levelOf(oneObjective())],
    ['a target of 99.95 %, seven days, no data', levelOf(oneObjective('  period: 7d\n  noData: 10m', '99.95%'))],
  ])('accepts the rules of %s', (_, level) => {
    writeFileSync(join(folder, 'rules.yaml'), rulesText(level));
    const { status, stdout, stderr } = run('check', 'rules', 'rules.yaml');
    expect(status, stderr).toBe(0);
    expect(stdout).toContain('SUCCESS');
  });

  it('sees them fire and stay silent as slo/live-feedback.test.yaml says', () => {
    writeFileSync(join(folder, 'live-feedback.rules.yaml'), rulesText(shipped));
    writeFileSync(join(folder, 'fires.test.yaml'), readFileSync('slo/live-feedback.test.yaml'));
    const { status, stdout, stderr } = run('test', 'rules', 'fires.test.yaml');
    expect(status, stdout + stderr).toBe(0);
  });

  it('would notice a rule that fires too late', () => {
    const cases = parse(readFileSync('slo/live-feedback.test.yaml', 'utf8'));
    const half = cases.tests.filter(({ name }: { name: string }) => name.startsWith('half of the feedback'));
    writeFileSync(join(folder, 'fires.test.yaml'), stringify({ ...cases, tests: half }));
    const late = rulesText(shipped).replaceAll('> 0.144 ', '> 0.3 ');
    writeFileSync(join(folder, 'live-feedback.rules.yaml'), late);
    const { status, stderr } = run('test', 'rules', 'fires.test.yaml');
    expect(status).toBe(1);
    expect(stderr).toContain('half of the feedback is late for 20 minutes');
  });
});
