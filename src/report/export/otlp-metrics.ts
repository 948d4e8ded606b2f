import type { MetricPoint } from './metric-points.ts';

/**
 * Points as an OTLP ExportMetricsServiceRequest in its JSON form (opentelemetry-proto 1.x: 64-bit
 * numbers as strings), for `POST /v1/metrics`. Latencies are cumulative histograms with explicit
 * bounds; what never came lies above the last.
 */
export function otlpMetrics(
  points: readonly MetricPoint[],
  run: { startedAt: string; elapsedMs: number; version: string },
) {
  const startMs = Date.parse(run.startedAt);
  const times = { startTimeUnixNano: nanos(startMs), timeUnixNano: nanos(startMs + Math.round(run.elapsedMs)) };
  return {
    resourceMetrics: [
      {
        resource: { attributes: attributes({ 'service.name': 'speechfb-loadtest', 'service.version': run.version }) },
        scopeMetrics: [
          {
            scope: { name: 'speechfb', version: run.version },
            metrics: points.map((point) => metric(point, times)),
          },
        ],
      },
    ],
  };
}

type Times = { startTimeUnixNano: string; timeUnixNano: string };

function metric(point: MetricPoint, times: Times) {
  const base = { name: `speechfb.loadtest.${point.name}`, description: point.help, unit: point.unit };
  const common = { ...times, attributes: attributes(point.labels) };
  if (point.kind === 'gauge') return { ...base, gauge: { dataPoints: [{ ...common, asDouble: point.value }] } };
  const within = point.buckets.map(({ atMost }) => atMost);
  const counts = [...within, point.count].map((atMost, i, all) => String(atMost - (all[i - 1] ?? 0)));
  const data = {
    ...common,
    count: String(point.count),
    sum: point.sum,
    bucketCounts: counts,
    explicitBounds: point.buckets.map(({ bound }) => bound),
  };
  return { ...base, histogram: { aggregationTemporality: cumulative, dataPoints: [data] } };
}

/** AGGREGATION_TEMPORALITY_CUMULATIVE. */
const cumulative = 2;

function attributes(labels: Readonly<Record<string, string>>) {
  return Object.entries(labels).map(([key, stringValue]) => ({ key, value: { stringValue } }));
}

function nanos(ms: number): string {
  return `${ms}000000`;
}
