import { ranksWithin } from '../../metrics/definitions.ts';
import type { LabelledDistribution } from '../../metrics/recorder.ts';
import type { LoadReport } from '../../results/report.ts';

/**
 * A measured value as monitoring systems take it. Names without a prefix, times in seconds;
 * OpenMetrics keeps the endings `_total` for counters, `_count`, `_sum` and `_bucket` for
 * histograms, so no gauge has one.
 */
export type MetricPoint = { name: string; help: string; labels: Readonly<Record<string, string>> } & (
  | { kind: 'gauge'; unit: 's' | '1'; value: number }
  | {
      kind: 'histogram';
      unit: 's';
      /** Upper bounds in ascending order, seconds, and the samples at or below each. */
      buckets: readonly { bound: number; atMost: number }[];
      /** Every sample; those that never came are above every bound. */
      count: number;
      /** Sum of those that came. */
      sum: number;
    }
);

/**
 * A run as points: latencies as histograms, so that what never came lies in the last bucket and no
 * percentile forgets it; shares, counts and verdicts (1 pass, 0 fail, -1 invalid) as gauges.
 */
export function metricPoints(report: LoadReport, latencies: readonly LabelledDistribution[]): MetricPoint[] {
  const run = { scenario: report.scenario.name };
  const gauge = (name: string, help: string, labels: Record<string, string>, value: number): MetricPoint => ({
    name,
    help,
    labels: { ...run, ...labels },
    kind: 'gauge',
    unit: '1',
    value,
  });
  return [
    gauge('verdict', 'Verdict of the run: 1 pass, 0 fail, -1 invalid.', {}, verdictValue[report.verdict]),
    gauge('interrupted', 'Whether the run was stopped early.', {}, report.interrupted ? 1 : 0),
    ...report.objectives.map(({ objective, verdict }) =>
      gauge('objective', 'Verdict of an objective: 1 pass, 0 fail, -1 invalid.', { objective }, verdictValue[verdict]),
    ),
    ...Object.entries(report.shares).flatMap(([metric, { good, total }]) => [
      gauge('share_good', 'Good events of a share.', { metric }, good),
      gauge('share_all', 'All events of a share.', { metric }, total),
    ]),
    ...Object.entries(report.counts).map(([metric, { count }]) =>
      gauge('counted', 'What was counted.', { metric }, count),
    ),
    ...latencies.map((one) => histogram(one, run)),
  ];
}

const verdictValue = { pass: 1, fail: 0, invalid: -1 } as const;

/** Bounds in ms: fine around the promises of live feedback (500 and 600 ms), up to a minute. */
const boundsMs = [
  1, 2, 5, 10, 20, 30, 50, 75, 100, 150, 200, 250, 300, 400, 500, 600, 800, 1000, 1500, 2000, 3000, 5000, 10_000,
  30_000, 60_000,
];

function histogram({ labels, distribution }: LabelledDistribution, run: Record<string, string>): MetricPoint {
  const { samples, never, meanMs } = distribution;
  return {
    name: 'latency',
    help: 'Latencies as learners felt them, from due times; what never came is above every bound.',
    labels: { ...run, ...labels },
    kind: 'histogram',
    unit: 's',
    buckets: boundsMs.map((ms) => ({ bound: ms / 1000, atMost: ranksWithin(distribution, (value) => value <= ms) })),
    count: samples,
    sum: samples > never ? (meanMs * (samples - never)) / 1000 : 0,
  };
}
