import {
  type Metric,
  type MetricObjectWithValues,
  type MetricValue,
  type OpenMetricsContentType,
  Registry,
} from 'prom-client';

/** What `/metrics` is written as. */
export type MetricsFormat = 'prometheus' | 'openmetrics';

/**
 * The format that an `Accept` header prefers (RFC 9110, section 12.5.1); of equals the older, which
 * everybody reads.
 */
export function metricsFormatOf(accept: string | undefined): MetricsFormat {
  const ranges = (accept ?? '').split(',').map((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    return { type, weight: weight === undefined ? 1 : Number(weight.slice(2)) };
  });
  const best = (type: string): number =>
    Math.max(0, ...ranges.filter((range) => range.type === type).map(({ weight }) => weight || 0));
  const open = best('application/openmetrics-text');
  return open > Math.max(best('text/plain'), best('text/*')) ? 'openmetrics' : 'prometheus';
}

/**
 * Metrics in the OpenMetrics format, which alone has exemplars, and its content type. The library
 * renames the counters that it writes so: it gets copies.
 */
export async function toOpenMetrics(
  documents: readonly MetricObjectWithValues<MetricValue<string>>[],
): Promise<{ body: string; contentType: string }> {
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  for (const document of documents) {
    const isCounter = String(document.type) === 'counter';
    const name = isCounter ? document.name.replace(/_total$/, '') : document.name;
    const copy = { name, type: document.type, get: async () => ({ ...document, name }) };
    // The registry asks nothing else of a metric.
    registry.registerMetric(copy as unknown as Metric);
  }
  return { body: await registry.metrics(), contentType: registry.contentType };
}
