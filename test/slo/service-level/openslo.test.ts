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

  const good = `query: 'orders_total{code!~"5.."}'`;
  const inner = / {6}ratioMetric:[\s\S]*?(?= {2}timeWindow)/;
  it.each<[string, string, string | RegExp, string, string]>([
    [
      'a ratio of who knows what',
      ratio,
      '        counter: true\n',
      '',
      'spec.indicator.spec.ratioMetric.counter: is not true: only ratios of counters, whose rates can be taken over every window, can be imported',
    ],
    [
      'good and bad',
      ratio,
      '        total:\n',
      "        bad:\n          metricSource: {type: Prometheus, spec: {query: 'bad_total'}}\n        total:\n",
      'spec.indicator.spec.ratioMetric: needs exactly one of good, bad',
    ],
    [
      'neither good nor bad',
      ratio,
      / {8}good:\n.*\n/,
      '',
      'spec.indicator.spec.ratioMetric: needs exactly one of good, bad',
    ],
    [
      'a source without a query',
      ratio,
      good,
      '',
      'good.metricSource.spec.query: is missing: write the Prometheus query',
    ],
    ['an empty query', ratio, good, "query: ''", 'good.metricSource.spec.query: '],
    [
      'an indicator of nothing',
      ratio,
      inner,
      '      {}\n',
      'spec.indicator.spec: needs exactly one of ratioMetric, thresholdMetric',
    ],
    [
      'a ratio and a threshold',
      ratio,
      '      ratioMetric:',
      "      thresholdMetric:\n        metricSource: {type: Prometheus, spec: {query: 'a_bucket'}}\n      ratioMetric:",
      'spec.indicator.spec: needs exactly one of ratioMetric, thresholdMetric',
    ],
    ['a target of 0', ratio, '0.995', '0', 'spec.objectives.0.target: '],
    [
      'a target of 100',
      ratio,
      '0.995',
      '100',
      'spec.objectives.0.target: leaves no error budget: write a target below 1',
    ],
    ['a target of 0 %', ratio, 'target: 0.995', 'targetPercent: 0', 'spec.objectives.0.targetPercent: '],
    [
      'a target of 100 %',
      ratio,
      'target: 0.995',
      'targetPercent: 100',
      'spec.objectives.0.targetPercent: leaves no error budget: write less than 100',
    ],
    [
      'two targets',
      ratio,
      'target: 0.995',
      'target: 0.995, targetPercent: 99.5',
      'spec.objectives.0: needs exactly one of target, targetPercent',
    ],
    ['no target', ratio, ', target: 0.995', '', 'spec.objectives.0: needs exactly one of target, targetPercent'],
    [
      'a threshold from below',
      threshold,
      'op: lte',
      'op: gt',
      'spec.objectives.0.op: is not one of lte, lt: a histogram counts what lies below a bound',
    ],
    ['a threshold of 0', threshold, 'value: 0.25', 'value: 0', 'spec.objectives.0.value: '],
    [
      'a threshold without op',
      threshold,
      'op: lte, value: 1',
      'value: 1',
      'spec.objectives.1: a threshold needs op and value, in the unit of its histogram',
    ],
    [
      'a threshold without value',
      threshold,
      'value: 0.25, ',
      '',
      'spec.objectives.0: a threshold needs op and value, in the unit of its histogram',
    ],
    [
      'a target of time slices',
      ratio,
      'target: 0.995',
      'target: 0.995, timeSliceTarget: 0.9',
      'spec.objectives.0.timeSliceTarget: cannot be imported: time slices are not events',
    ],
    ['another version', ratio, 'openslo/v1', 'openslo/v2', 'apiVersion: "openslo/v2" is not openslo/v1'],
    ['a name in capitals', ratio, 'name: checkout', 'name: Checkout', 'metadata.name: '],
    ['a name that begins with a hyphen', ratio, 'name: checkout', 'name: -checkout', 'metadata.name: '],
    ['a name with an underscore', ratio, 'name: checkout', 'name: check_out', 'metadata.name: '],
    ['a service in capitals', ratio, 'service: shop', 'service: Shop', 'spec.service: is not the name of a service'],
    [
      'a service of two words',
      ratio,
      'service: shop',
      'service: shop one',
      'spec.service: is not the name of a service',
    ],
    ['a window of minutes', ratio, '28d', '28m', 'spec.timeWindow.0.duration: "28m" is not such as 30d, 4w'],
    ['a window after something', ratio, '28d', 'P28d', 'spec.timeWindow.0.duration: "P28d" is not such as 30d, 4w'],
    [
      'a window with something after it',
      ratio,
      '28d',
      '28days',
      'spec.timeWindow.0.duration: "28days" is not such as 30d, 4w',
    ],
    [
      'a calendar window',
      ratio,
      'isRolling: true',
      'isRolling: false',
      'spec.timeWindow.0.isRolling: is not true: only rolling windows have a burn rate at any time',
    ],
    [
      'two windows',
      ratio,
      'isRolling: true}',
      'isRolling: true}\n    - {duration: 7d, isRolling: true}',
      'spec.timeWindow: needs exactly one window',
    ],
    ['no objective', ratio, /objectives:\n.*/, 'objectives: []', 'spec.objectives: '],
    ['no indicator', ratio, / {2}indicator:[\s\S]*?(?= {2}timeWindow)/, '', 'spec: needs an indicator'],
    [
      'a source that begins like Prometheus',
      ratio,
      'type: Prometheus',
      'type: Prometheus2',
      'good.metricSource.type: "Prometheus2" is not Prometheus, the only source that can be imported',
    ],
    [
      'a source that ends like Prometheus',
      ratio,
      'type: Prometheus',
      'type: my-prometheus',
      'good.metricSource.type: "my-prometheus" is not Prometheus, the only source that can be imported',
    ],
    [
      'a source without a type',
      ratio,
      'type: Prometheus, ',
      '',
      'good.metricSource.type: is missing; write Prometheus, or a metricSourceRef to a DataSource of this file',
    ],
    [
      'a gauge',
      threshold,
      'http_seconds_bucket',
      'queue_depth',
      'spec.indicator.spec.thresholdMetric.metricSource.spec.query: is not a histogram such as http_request_duration_seconds_bucket{job="api"}: its events cannot be counted',
    ],
    [
      'two histograms',
      threshold,
      /histogram_quantile\(.*\(le\)/,
      'a_bucket{job="x",pod="y"} / b_bucket{job="y",le="1"}',
      'spec.indicator.spec.thresholdMetric.metricSource.spec.query: has two histograms, a{job="x",pod="y"} and b{job="y"}; a threshold is of one',
    ],
  ])('with %s is told what is wrong', (_, yaml, from, to, message) => {
    const changed = yaml.replace(from, to);
    expect(changed).not.toBe(yaml);
    expect(problemsIn(changed)).toContain(message);
  });

  it.each([
    ['lower case', ratio.replaceAll('Prometheus', 'prometheus'), {}],
    ['weeks', ratio.replace('28d', '4w'), {}],
    ['hours', ratio.replace('28d', '672h'), {}],
    ['a share in percent', ratio.replace('target: 0.995', 'targetPercent: 99.5'), {}],
    ['an objective without a name', ratio.replace('displayName: Good, ', ''), {}],
    ['a name of one letter', ratio.replace('name: checkout', 'name: c'), { name: 'c' }],
    ['a name of digits and hyphens', ratio.replace('name: checkout', 'name: 2-a'), { name: '2-a' }],
  ])('may have %s', (_, yaml, changed) => {
    const level = levelOf(ratio);
    const objectives = level.objectives.map((one) => ({ ...one, ...changed }));
    expect(levelOf(yaml)).toEqual({ ...level, ...changed, objectives });
  });

  it.each([
    ['{displayName: " -- Not  so SLOW! -- ", op: lt', 'checkout-not-so-slow'],
    ['{displayName: "  ", op: lte', 'checkout-2'],
    ['{op: lte', 'checkout-2'],
  ])('calls an objective that is %s, ... %s', (written, name) => {
    const { objectives } = levelOf(threshold.replace('{displayName: Not slow, op: lte', written));
    expect(objectives.map((one) => one.name)).toEqual(['checkout-fast', name]);
  });

  it('of bad and total counts the bad, and keeps its description', () => {
    const [input] = readOpenSlo('slo.yaml', ratio.replace('        good:', '        bad:'));
    expect(input!.metadata).toEqual({ name: 'checkout', description: 'Orders that are taken.' });
    expect(input!.spec.objectives[0]!.indicator).toEqual({
      events: { bad: 'orders_total{code!~"5.."}', total: 'sum(rate(orders_total[5m]))' },
    });
    const [bare] = readOpenSlo('slo.yaml', ratio.replace(/ {2}description: .*\n/, ''));
    expect(bare!.metadata).toEqual({ name: 'checkout' });
  });

  it.each([
    ['a_milliseconds', 'ms'],
    ['a_millis', 'ms'],
    ['a_msec', 'ms'],
    ['a_ms', 'ms'],
    ['a_microseconds', 'us'],
    ['a_micros', 'us'],
    ['a_usec', 'us'],
    ['a_us', 'us'],
    ['a_nanoseconds', 'ns'],
    ['a_nanos', 'ns'],
    ['a_nsec', 'ns'],
    ['a_ns', 'ns'],
    ['a_ms_seconds', 's'],
    ['columns', 's'],
    ['items', 's'],
    ['a_us_total', 's'],
    ['a_ns_total', 's'],
    ['menus', 's'],
  ] as const)('takes %s to count in %s', (name, unit) => {
    const twoSeconds = { s: '2', ms: '2000', us: '2e6', ns: '2e9' }[unit];
    const { objectives } = levelOf(onHistogram(`${name}_bucket`, twoSeconds));
    expect(objectives[0]!.indicator.latency).toEqual({ histogram: name, atMost: 2000, unit });
  });

  it.each([
    ['x_seconds_bucket {job="a"}', 'x_seconds', 'job="a"'],
    ['9 * job:x_seconds_bucket', 'job:x_seconds', undefined],
    ['x_seconds_bucket{le = "0.5", job="a", length="1", le!="1"}', 'x_seconds', 'job="a",length="1"'],
    ["x_seconds_bucket{job='}'}", 'x_seconds', "job='}'"],
  ])('finds in %s the histogram %s{%s}', (query, histogram, matchers) => {
    const { objectives } = levelOf(onHistogram(query.replaceAll("'", "''")));
    expect(objectives[0]!.indicator.latency).toMatchObject({ histogram });
    expect(objectives[0]!.indicator.latency!.matchers).toBe(matchers);
  });
});

function levelOf(yaml: string) {
  return serviceLevelOf(readOpenSlo('slo.yaml', yaml)[0]!);
}

function problemsIn(yaml: string): string {
  return problemsOf(() => levelOf(yaml));
}
