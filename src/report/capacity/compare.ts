import type { CapacityResult } from '../../capacity/plan/result.ts';
import { dollars, formatMs, percent, whole } from '../../format.ts';

/** What is worth comparing, and which way is better. */
const measures: readonly {
  name: string;
  of: (result: CapacityResult) => number | null;
  show: (value: number) => string;
  /** True when less is better; false when more is; undefined when neither is. */
  less?: boolean;
}[] = [
  { name: 'ingress_bytes_per_second', of: (r) => r.ingress_bytes_per_second, show: whole },
  { name: 'concurrency_p999', of: (r) => r.concurrency.p999, show: whole },
  { name: 'pods_minimum', of: (r) => r.pods.minimum, show: whole, less: true },
  { name: 'pods_with_headroom', of: (r) => r.pods.with_headroom, show: whole, less: true },
  { name: 'pods_blocking', of: (r) => r.pods.blocking, show: whole, less: true },
  { name: 'blended_per_minute', of: (r) => r.cost.blended_per_minute, show: dollars, less: true },
  { name: 'degraded_stream_minutes', of: (r) => r.simulation.degraded_stream_minutes, show: whole, less: true },
  { name: 'degraded_share', of: (r) => r.simulation.degraded_share, show: percent, less: true },
  { name: 'p95_wait_ms', of: (r) => r.simulation.p95_wait_ms ?? Number.POSITIVE_INFINITY, show: formatMs, less: true },
  { name: 'peak_pods', of: (r) => r.simulation.peak_pods, show: whole },
  { name: 'cost_per_served_minute', of: (r) => r.simulation.cost.per_served_minute, show: dollars, less: true },
  { name: 'idle_share', of: (r) => r.simulation.cost.idle_share, show: percent, less: true },
];

/** `--compare --json`. */
export function compareJson(first: CapacityResult, second: CapacityResult) {
  const differences = measures.map(({ name, of, less }) => {
    const [a, b] = [of(first), of(second)];
    return { name, first: finite(a), second: finite(b), better: betterOf(a, b, less) };
  });
  return { first, second, differences };
}

/** Two scenarios side by side, the better marked. */
export function renderComparison(first: CapacityResult, second: CapacityResult): string {
  const [left, right] = [first.details.name, second.details.name];
  const lines = measures.map(({ name, of, show, less }) => {
    const [a, b] = [of(first), of(second)];
    const better = betterOf(a, b, less);
    const mark = better === null ? '' : better === 'first' ? `${left} is better` : `${right} is better`;
    return row(name.replaceAll('_', ' '), a === null ? '-' : show(a), b === null ? '-' : show(b), mark);
  });
  const verdict = row('verdict', first.verdict, second.verdict, '');
  const heading = left === right ? row('', `${left} (first)`, `${right} (second)`, '') : row('', left, right, '');
  return `${[heading, ...lines, verdict].join('\n')}\n`;
}

function betterOf(a: number | null, b: number | null, less: boolean | undefined): 'first' | 'second' | null {
  if (less === undefined || a === null || b === null || a === b) return null;
  return a < b === less ? 'first' : 'second';
}

function finite(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null;
}

function row(label: string, a: string, b: string, remark: string): string {
  return `  ${label.padEnd(26)}${a.padStart(18)}${b.padStart(18)}   ${remark}`.trimEnd();
}
