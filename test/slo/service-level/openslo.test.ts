import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readOpenSlo } from '../../../src/commands/slo/read-service-level.ts';
import { prometheusRules } from '../../../src/slo/service-level/rules.ts';
import { serviceLevelOf } from '../../../src/slo/service-level/service-level.ts';
import { problemsOf } from '../../kit/problems.ts';

const ratio = `apiVersion: openslo/v1
kind: SLO
metadata:
  name: checkout
  displayName: Checkout works
spec:
  description: Orders that are taken.
  service: shop
  indicator:
    metadata: {name: orders}
    spec:
      ratioMetric:
        counter: true
        good:
          metricSource: {type: Prometheus, spec: {query: 'orders_total{code!~"5.."}'}}
        total:
          metricSource: {type: Prometheus, spec: {query: 'sum(rate(orders_total[5m]))'}}
  timeWindow:
    - {duration: 28d, isRolling: true}
  budgetingMethod: Occurrences
  objectives:
    - {displayName: Good, target: 0.995}
`;

const threshold = ratio
  .replace(
    / {6}ratioMetric:[\s\S]*?(?= {2}timeWindow)/,
    `      thresholdMetric:
        metricSource: {type: Prometheus, spec: {query: 'histogram_quantile(0.9, sum(rate(http_seconds_bucket{job="api"}[5m])) by (le))'}}
`,
  )
  .replace(
    '{displayName: Good, target: 0.995}',
    '{displayName: Fast, op: lte, value: 0.25, targetPercent: 99}\n    - {displayName: Not slow, op: lte, value: 1, target: 0.999}',
  );

describe('an OpenSLO v1 document', () => {
  it('of good and total becomes an objective over the same window', () => {
    const level = levelOf(ratio);
    expect(level).toMatchObject({ name: 'checkout', service: 'shop', periodMs: 28 * 86_400_000 });
    expect(level.objectives).toMatchObject([{ name: 'checkout', target: 0.995 }]);
    expect(prometheusRules(level).groups[0]!.rules[0]!.expr).toBe(
      'clamp_min((sum(rate(orders_total[5m]))) - (sum(rate(orders_total{code!~"5.."}[5m])) or vector(0)), 0) / ' +
        '((sum(rate(orders_total[5m]))) > 0)',
    );
  });

  it('of thresholds on a histogram counts its events, whatever quantile it showed', () => {
    const { objectives } = levelOf(threshold);
    expect(objectives).toMatchObject([
      {
        name: 'checkout-fast',
        target: 0.99,
        indicator: { latency: { histogram: 'http_seconds', matchers: 'job="api"', atMost: 250 } },
      },
      { name: 'checkout-not-slow', target: 0.999, indicator: { latency: { atMost: 1000 } } },
    ]);
  });

  const onHistogram = (query: string, value = '0.25') =>
    threshold.replace(/histogram_quantile\(.*\(le\)/, query).replaceAll(/value: (?:0\.25|1)/g, `value: ${value}`);

  it.each([
    ['istio_request_duration_milliseconds', 'ms', '500', 500],
    ['db_latency_ms', 'ms', '20', 20],
    ['rpc_usec', 'us', '1500', 1.5],
    ['gc_pause_nanoseconds', 'ns', '5e6', 5],
    ['http_seconds', 's', '0.5', 500],
    ['plain_duration', 's', '2', 2000],
  ])('on %s has a threshold in its unit, %s', (name, unit, value, atMost) => {
    const { objectives } = levelOf(onHistogram(`${name}_bucket{job="api"}`, value));
    expect(objectives[0]!.indicator.latency).toMatchObject({ histogram: name, unit, atMost });
  });

  it('keeps the bound of a histogram in milliseconds as it is in the rules', () => {
    const rules = JSON.stringify(prometheusRules(levelOf(onHistogram('call_ms_bucket', '500'))));
    expect(rules).toContain('le=~');
    expect(rules).toMatch(/le=~\\"500\(/);
  });

  it.each([
    ['braces', 'path=~"/users/[0-9]{3,5}",job="api"'],
    ['commas and the name of a label', 'note="a,le=\\"x\\"",job="api"'],
    ['brackets in backquotes', 'path=~`/[a-z]{2}`,job="api"'],
  ])('keeps %s within a quoted matcher', (_, matchers) => {
    const { objectives } = levelOf(onHistogram(`http_seconds_bucket{${matchers},le="0.5"}`));
    expect(objectives[0]!.indicator.latency!.matchers).toBe(matchers);
  });

  it('over two histograms is refused, not told of the first', () => {
    const query = 'sum(rate(a_seconds_bucket{le="0.5"}[5m])) / sum(rate(b_seconds_bucket{le="+Inf"}[5m]))';
    expect(problemsIn(onHistogram(query))).toMatch(/query: has two histograms, a_seconds\{\} and b_seconds\{\}/);
  });

  it('names one histogram twice, with two bounds', () => {
    const query = 'sum(rate(a_seconds_bucket{le="0.5"}[5m])) / sum(rate(a_seconds_bucket{le="+Inf"}[5m]))';
    expect(levelOf(onHistogram(query)).objectives[0]!.indicator.latency).toMatchObject({ histogram: 'a_seconds' });
  });

  it.each([
    ['JSON', JSON.stringify(parse(ratio))],
    ['a list, as the examples of OpenSLO are', `- ${ratio.trimEnd().replaceAll('\n', '\n  ')}\n`],
    ['a list in JSON', JSON.stringify([parse(ratio)])],
  ])('may be %s', (_, text) => {
    expect(levelOf(text)).toEqual(levelOf(ratio));
  });

  it('may leave the type of a source to a DataSource of the file', () => {
    const source = 'apiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: prom}\nspec: {type: Prometheus}\n---\n';
    const by = (reference: string) => ratio.replaceAll('type: Prometheus', `metricSourceRef: ${reference}`);
    expect(levelOf(`${source}${by('prom')}`)).toEqual(levelOf(ratio));
    expect(problemsIn(`${source}${by('other')}`)).toMatch(/type: is missing; write Prometheus, or a metricSourceRef/);
    expect(problemsIn(`${source.replace('type: Prometheus', 'type: Datadog')}${by('prom')}`)).toContain(
      '"Datadog" is not Prometheus',
    );
  });

  it('among services and policies follows its indicator within the file', () => {
    const sli = ratio.match(/ {6}ratioMetric:[\s\S]*?(?= {2}timeWindow)/)![0].replace(/^ {4}/gm, '');
    const split = `apiVersion: openslo/v1
kind: Service
metadata: {name: shop}
spec: {}
---
${ratio.replace(/ {2}indicator:[\s\S]*?(?= {2}timeWindow)/, '  indicatorRef: orders\n')}---
apiVersion: openslo/v1
kind: SLI
metadata: {name: orders}
spec:
${sli}`;
    expect(levelOf(split)).toEqual(levelOf(ratio));
    expect(problemsIn(split.replace('counter: true', 'counter: false'))).toMatch(
      /slo.yaml:26:14: .*counter: is not true/,
    );
  });

  it('takes the rate of a counter that is only summed, and a histogram without the bound that it chose', () => {
    const summed = levelOf(ratio.replace(`'orders_total{code!~"5.."}'`, `'sum(orders_total{code!~"5.."})'`));
    expect(prometheusRules(summed).groups[0]!.rules[0]!.expr).toContain('sum(rate(orders_total{code!~"5.."}[5m]))');
    const bound = levelOf(threshold.replace('{job="api"}', '{le="0.5", job="api"}'));
    expect(bound.objectives[0]!.indicator.latency).toMatchObject({ matchers: 'job="api"', atMost: 250 });
  });

  it.each([
    ['a sum of sums', `'sum(a) + sum(b)'`, /slo.yaml:15:\d+: .*events\.good: "sum\(a\) \+ sum\(b\)" has no range/],
    ['half of a query', `'sum(rate(a[5m])'`, /events\.good: .* has a bracket that is not closed/],
  ])('with %s for a query is refused', (_, query, message) => {
    expect(problemsIn(ratio.replace(`'orders_total{code!~"5.."}'`, query))).toMatch(message);
  });

  it.each([
    [
      'time slices',
      ratio.replace('Occurrences', 'Timeslices'),
      '20:20: spec.budgetingMethod: "Timeslices" cannot be imported; allowed: Occurrences',
    ],
    [
      'a calendar window',
      ratio.replace('isRolling: true', 'isRolling: false'),
      '19:34: spec.timeWindow.0.isRolling: is not true',
    ],
    [
      'another source',
      ratio.replace('type: Prometheus', 'type: Datadog'),
      '15:32: spec.indicator.spec.ratioMetric.good.metricSource.type: "Datadog" is not Prometheus',
    ],
    [
      'gauges',
      ratio.replace('counter: true', 'counter: false'),
      '13:18: spec.indicator.spec.ratioMetric.counter: is not true',
    ],
    ['a target of 1', ratio.replace('0.995', '1'), '22:35: spec.objectives.0.target: leaves no error budget'],
    [
      'an indicator elsewhere',
      ratio.replace(/ {2}indicator:[\s\S]*?(?= {2}timeWindow)/, '  indicatorRef: orders\n'),
      'spec.indicatorRef: names no SLI of this file; write it here or inline',
    ],
    ['no SLO', ratio.replace('kind: SLO', 'kind: AlertPolicy'), 'slo.yaml:1:1: has no document of kind SLO'],
    [
      'a target too low for our alerts',
      ratio.replace('0.995', '0.9'),
      'slo.yaml:22:7: as a ServiceLevel, spec.objectives.0.target: an alert above a burn of 13.4 can never fire',
    ],
    ['a threshold on a gauge', threshold.replace('http_seconds_bucket', 'queue_depth'), 'is not a histogram such as'],
  ])('of %s is refused at its line', (_, yaml, message) => {
    expect(problemsIn(yaml)).toContain(message);
  });
});

function levelOf(yaml: string) {
  return serviceLevelOf(readOpenSlo('slo.yaml', yaml)[0]!);
}

function problemsIn(yaml: string): string {
  return problemsOf(() => levelOf(yaml));
}
