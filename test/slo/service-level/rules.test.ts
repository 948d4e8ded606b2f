import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { promDuration, withMatchers } from '../../../src/slo/service-level/promql.ts';
import { prometheusRules, rulesText } from '../../../src/slo/service-level/rules.ts';
import { levelOf, oneObjective } from '../../kit/service-level-kit.ts';

const shipped = levelOf(readFileSync('slo/live-feedback.yaml', 'utf8'));
const promtool = spawnSync('promtool', ['--version']).status === 0;
if (!promtool)
  console.warn('SKIPPED: promtool is not installed (Debian: prometheus); the rules were not held against it');

describe('the Prometheus rules of a service level', () => {
  it('are those that ship', () => {
    expect(readFileSync('slo/live-feedback.rules.yaml', 'utf8')).toBe(rulesText(shipped));
  });

  it('measure every window once and alert on long and short together', () => {
    const [group] = prometheusRules(levelOf(oneObjective('  minimumEvents: 50'))).groups;
    const records = group!.rules.flatMap((rule) => rule.record ?? []);
    expect(records.filter((name) => name.includes('ratio_rate'))).toEqual(
      ['5m', '30m', '1h', '2h', '6h', '1d', '3d'].map((window) => `slo:bad_events:ratio_rate${window}`),
    );
    const page = group!.rules.find((rule) => rule.labels.severity === 'page');
    expect(page?.expr).toBe(
      'slo:bad_events:ratio_rate1h{slo="reading",objective="availability"} > 0.0144 and ' +
        'slo:bad_events:ratio_rate5m{slo="reading",objective="availability"} > 0.0144 and ' +
        'slo:events:increase1h{slo="reading",objective="availability"} >= 50',
    );
  });

  it.each([
    ['{bad: bad_total, total: all_total}', '(sum(rate(bad_total[5m])) or vector(0)) / (sum(rate(all_total[5m])) > 0)'],
    [
      '{good: \'ok{a="b"}\', total: all_total}',
      'clamp_min(sum(rate(all_total[5m])) - (sum(rate(ok{a="b"}[5m])) or vector(0)), 0) / (sum(rate(all_total[5m])) > 0)',
    ],
    [
      "{bad: 'sum(rate(x[$window])) - sum(rate(y[1m]))', total: all_total}",
      '((sum(rate(x[5m])) - sum(rate(y[5m]))) or vector(0)) / (sum(rate(all_total[5m])) > 0)',
    ],
  ])('count %s', (events, expr) => {
    const level = levelOf(oneObjective().replace(/events: \{.*?\}\}/, `events: ${events}}`));
    expect(prometheusRules(level).groups[0]!.rules[0]).toMatchObject({ record: 'slo:bad_events:ratio_rate5m', expr });
  });

  it.each([
    ['500ms', 'le="0.5"'],
    ['1s', 'le=~"1(\\\\.0)?"'],
    ['2500ms', 'le="2.5"'],
  ])('take the bucket of %s, however Prometheus writes it', (atMost, matcher) => {
    const level = levelOf(
      oneObjective().replace(/indicator: .*/, `indicator: {latency: {histogram: h, atMost: ${atMost}}}`),
    );
    expect(prometheusRules(level).groups[0]!.rules[0]!.expr).toContain(`h_bucket{${matcher}}[5m]`);
  });

  it.each([
    [300_000, '5m'],
    [5_400_000, '90m'],
    [86_400_000, '1d'],
    [90_000, '90s'],
    [1500, '1500ms'],
  ])('write %d ms as %s', (ms, text) => {
    expect(promDuration(ms)).toBe(text);
  });

  it('choose one version by its matchers, in bare series only', () => {
    const narrowed = withMatchers(
      { events: { bad: 'bad_total{a="b"}', total: 'all_total', good: undefined } },
      'v="2"',
    );
    expect(narrowed.events).toMatchObject({ bad: 'bad_total{a="b",v="2"}', total: 'all_total{v="2"}' });
    expect(() => withMatchers({ events: { bad: 'max(x)', total: 'y', good: undefined } }, 'v="2"')).toThrow(
      /"max\(x\)" is not a series whose version can be chosen/,
    );
  });
});

describe.skipIf(!promtool)('promtool', () => {
  const folder = mkdtempSync(join(tmpdir(), 'speechfb-rules-'));
  afterAll(() => rmSync(folder, { recursive: true }));
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
  }, 60_000);

  it('would notice a rule that fires too late', () => {
    const cases = parse(readFileSync('slo/live-feedback.test.yaml', 'utf8'));
    const half = cases.tests.filter(({ name }: { name: string }) => name.startsWith('half of the feedback'));
    writeFileSync(join(folder, 'fires.test.yaml'), stringify({ ...cases, tests: half }));
    const late = rulesText(shipped).replaceAll('> 0.144 ', '> 0.3 ');
    writeFileSync(join(folder, 'live-feedback.rules.yaml'), late);
    const { status, stderr } = run('test', 'rules', 'fires.test.yaml');
    expect(status).toBe(1);
    expect(stderr).toContain('half of the feedback is late for 20 minutes');
  }, 60_000);
});
