import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { promDuration, withMatchers } from '../../../src/slo/service-level/promql.ts';
import { prometheusRules, rulesText } from '../../../src/slo/service-level/rules.ts';
import { levelOf, oneObjective } from '../../kit/service-level-kit.ts';

const shipped = levelOf(readFileSync('slo/live-feedback.yaml', 'utf8'));

describe('the Prometheus rules of a service level', () => {
  it('are those that ship', () => {
    expect(readFileSync('slo/live-feedback.rules.yaml', 'utf8')).toBe(rulesText(shipped));
  });

  it('lead each alert to its page, where the service level says where pages are', () => {
    const runbook = '  runbook: https://runbooks.example/{alert}.md\n  noData: 15m';
    const alerts = prometheusRules(levelOf(oneObjective(runbook))).groups[0]!.rules.filter((rule) => rule.alert);
    expect(new Set(alerts.map(({ annotations }) => annotations!.runbook_url))).toEqual(
      new Set(['AvailabilityBudgetBurn', 'AvailabilityNoData'].map((name) => `https://runbooks.example/${name}.md`)),
    );
    const without = prometheusRules(levelOf(oneObjective())).groups[0]!.rules;
    expect(without.flatMap(({ annotations }) => annotations?.runbook_url ?? [])).toEqual([]);
  });

  it.each(['https://runbooks.example', 'a {alert}'])('refuse the runbook "%s"', (runbook) => {
    expect(() => levelOf(oneObjective(`  runbook: "${runbook}"`))).toThrow(/has a problem/);
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
    ['', []],
    ['  minimumEvents: 1\n', ['slo:events:increase1h', 'slo:events:increase6h', 'slo:events:increase3d']],
  ])('count events only where a minimum of them is asked for: "%s"', (minimum, counts) => {
    const alerts = ['3d, short: 6h', '1h, short: 5m', '6h, short: 30m'].map(
      (windows) => `    - {severity: page, burn: 2, long: ${windows}}\n`,
    );
    const [group] = prometheusRules(levelOf(oneObjective(`${minimum}  alerts:\n${alerts.join('')}`))).groups;
    expect(group!.rules.map((rule) => rule.record ?? rule.alert)).toEqual([
      ...['5m', '30m', '1h', '6h', '3d'].map((window) => `slo:bad_events:ratio_rate${window}`),
      ...counts,
      'slo:bad_events:rate5m',
      'slo:events:rate5m',
      'slo:budget_left:ratio30d',
      ...Array(3).fill('AvailabilityBudgetBurn'),
    ]);
    const last = group!.rules.at(-1)!.expr;
    const series = '{slo="reading",objective="availability"}';
    expect(last).toBe(
      `slo:bad_events:ratio_rate6h${series} > 0.002 and slo:bad_events:ratio_rate30m${series} > 0.002` +
        (minimum === '' ? '' : ` and slo:events:increase6h${series} >= 1`),
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
