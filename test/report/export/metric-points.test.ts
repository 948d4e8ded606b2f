import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { metricPoints } from '../../../src/report/export/metric-points.ts';
import { otlpMetrics } from '../../../src/report/export/otlp-metrics.ts';
import { prometheusText } from '../../../src/report/export/prometheus-text.ts';
import { report } from '../../kit/report-fixture.ts';
import { distributionOf } from '../../kit/samples.ts';

const distribution = distributionOf(40, 400, 550, Number.POSITIVE_INFINITY);
const promtool = spawnSync('promtool', ['--version']).status === 0;
if (!promtool)
  console.warn('SKIPPED: promtool is not installed (Debian: prometheus); metrics were not held against it');
const points = metricPoints(report, [{ labels: { metric: 'feedback_latency', profile: 'lte' }, distribution }]);

describe('in Prometheus exposition format', () => {
  const text = prometheusText(points);
  const labels = 'scenario="quickstart",metric="feedback_latency",profile="lte"';

  it.each([
    ['the verdict', 'speechfb_loadtest_verdict{scenario="quickstart"} 0'],
    ['each objective', 'speechfb_loadtest_objective{scenario="quickstart",objective="availability >= 99.9%"} -1'],
    ['counts', 'speechfb_loadtest_counted{scenario="quickstart",metric="sessions_died"} 1'],
    ['samples at most a bound', `speechfb_loadtest_latency_seconds_bucket{${labels},le="0.5"} 2`],
    ['what never came, above every bound only', `speechfb_loadtest_latency_seconds_bucket{${labels},le="60"} 3`],
    ['all samples in the last bucket', `speechfb_loadtest_latency_seconds_bucket{${labels},le="+Inf"} 4`],
    ['the sum of what came, in seconds', `speechfb_loadtest_latency_seconds_sum{${labels}} 0.99`],
  ])('there is %s', (_, line) => {
    expect(text.split('\n')).toContain(line);
  });

  it('a family stands together under one TYPE', () => {
    expect(text.match(/# TYPE speechfb_loadtest_objective gauge/g)).toHaveLength(1);
    expect(text.endsWith('\n')).toBe(true);
  });

  it('no gauge has an ending that belongs to counters and histograms', () => {
    const gauges = [...text.matchAll(/^# TYPE (\S+) gauge$/gm)].map(([, name]) => name);
    expect(gauges.length).toBeGreaterThan(4);
    expect(gauges.filter((name) => /_(total|count|sum|bucket|info)$/.test(name!))).toEqual([]);
  });

  it.skipIf(!promtool)('promtool has nothing against it', () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    expect({ status, said: `${stdout}${stderr}` }).toEqual({ status: 0, said: '' });
  });

  it('quotes and line ends in labels are escaped', () => {
    const odd = { name: 'x', help: 'h', labels: { a: 'say "\\"\n' }, kind: 'gauge', unit: '1', value: 1 } as const;
    expect(prometheusText([odd])).toContain('speechfb_loadtest_x{a="say \\"\\\\\\"\\n"} 1');
    const hidden = { ...odd, labels: { a: '\u001b[2J\u202e\n"' } };
    expect(prometheusText([hidden])).toContain('speechfb_loadtest_x{a="\\\\x1b[2J\\\\u202e\\n\\""} 1');
  });
});

describe('as OTLP', () => {
  const request = otlpMetrics(points, { startedAt: report.startedAt, elapsedMs: report.elapsedMs, version: '0.1.0' });
  const metrics = request.resourceMetrics[0]!.scopeMetrics[0]!.metrics;
  const latency = metrics.find((one) => one.name === 'speechfb.loadtest.latency')!;

  it('latency is a cumulative histogram in seconds whose buckets sum to its count', () => {
    expect(latency).toMatchObject({ unit: 's', histogram: { aggregationTemporality: 2 } });
    const [point] = 'histogram' in latency ? latency.histogram.dataPoints : [];
    expect(point!.bucketCounts).toHaveLength(point!.explicitBounds.length + 1);
    expect(point!.bucketCounts.reduce((sum, count) => sum + Number(count), 0)).toBe(Number(point!.count));
    expect(point!.bucketCounts.at(-1)).toBe('1');
  });

  it('times are nanoseconds since the epoch, as strings', () => {
    const [point] = 'histogram' in latency ? latency.histogram.dataPoints : [];
    expect(point).toMatchObject({ startTimeUnixNano: '1795471200000000000', timeUnixNano: '1795471225300000000' });
  });
});
