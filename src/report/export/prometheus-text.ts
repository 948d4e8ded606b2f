import { plainText, sentenceColumns } from '../../plain-text.ts';
import type { MetricPoint } from './metric-points.ts';

/**
 * Points in Prometheus' text exposition format 0.0.4, names as `speechfb_loadtest_NAME[_seconds]`.
 */
export function prometheusText(points: readonly MetricPoint[]): string {
  return [...grouped(points)]
    .flatMap(([name, family]) => [
      `# HELP ${name} ${family[0]!.help}`,
      `# TYPE ${name} ${family[0]!.kind}`,
      ...family.flatMap((point) => sampleLines(name, point)),
    ])
    .map((line) => `${line}\n`)
    .join('');
}

/** By family, in the order of their first points; a family's samples must stand together. */
function grouped(points: readonly MetricPoint[]): Map<string, MetricPoint[]> {
  const families = new Map<string, MetricPoint[]>();
  for (const point of points) {
    const name = familyName(point);
    families.set(name, [...(families.get(name) ?? []), point]);
  }
  return families;
}

function familyName({ name, unit }: MetricPoint): string {
  return `speechfb_loadtest_${name}${unit === 's' ? '_seconds' : ''}`;
}

function sampleLines(name: string, point: MetricPoint): string[] {
  if (point.kind === 'gauge') return [`${name}${labelText(point.labels)} ${point.value}`];
  const { labels, buckets, count, sum } = point;
  return [
    ...buckets.map(({ bound, atMost }) => `${name}_bucket${labelText({ ...labels, le: String(bound) })} ${atMost}`),
    `${name}_bucket${labelText({ ...labels, le: '+Inf' })} ${count}`,
    `${name}_sum${labelText(labels)} ${sum}`,
    `${name}_count${labelText(labels)} ${count}`,
  ];
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/** The format has an escape for a line break; what else is hidden is written out. */
function escaped(value: string): string {
  const lines = value.split('\n').map((line) => plainText(line, sentenceColumns));
  return lines.map((line) => line.replaceAll('\\', '\\\\').replaceAll('"', '\\"')).join('\\n');
}
