import { alignToParents, type Shifts } from './clock-skew.ts';
import { criticalPath } from './critical-path.ts';

/**
 * A trace record may hold spans in place of stage durations: `{"name", "start_ms", "end_ms", "id"?,
 * "parent"?}`.
 */
export type RawSpan = { name: string; start_ms: number; end_ms: number; id?: string; parent?: string };

/** What is wrong with the `spans` of a record, or undefined. */
export function spansFault(spans: unknown): string | undefined {
  if (!Array.isArray(spans) || spans.length === 0) return 'spans: is not a list of {"name", "start_ms", "end_ms"}';
  for (const [i, span] of (spans as Partial<RawSpan>[]).entries()) {
    if (typeof span?.name !== 'string') return `spans.${i}.name: is not text`;
    const { start_ms: start, end_ms: end } = span;
    if (!Number.isFinite(start) || !Number.isFinite(end)) return `spans.${i}: has no start_ms and end_ms`;
    if (end! < start!) return `spans.${i}: "${span.name}" ends ${start! - end!} ms before it starts`;
  }
  return undefined;
}

/**
 * Stage durations on the critical path, every span's name a stage; the total from the first start
 * to the last end. Spans outside their parents are moved into them: `shifts` has by how much, ms.
 */
export function stagesOfSpans(raw: readonly RawSpan[]): {
  stages: Record<string, number>;
  totalMs: number;
  shifts: Shifts;
} {
  const spans = raw.map(({ name, start_ms, end_ms, id, parent }, i) => ({
    id: id ?? `#${i}`,
    parent,
    name,
    startMs: start_ms,
    endMs: end_ms,
  }));
  const aligned = alignToParents(spans, () => true);
  return { ...criticalPath(aligned.spans, ({ name }) => name), shifts: aligned.shifts };
}
