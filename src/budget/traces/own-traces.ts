import type { Span } from './critical-path.ts';

/**
 * The records of a trace. One feedback is one record: of an utterance of `speechfb serve` each
 * span that it marks as a feedback, with those below it; of any other trace the whole.
 *
 * @param feedback the ids of the spans that are marked
 */
export function recordsOf(spans: readonly Span[], feedback: readonly string[]): (readonly Span[])[] {
  if (feedback.length === 0) return [spans];
  const children = new Map<string, Span[]>();
  for (const span of spans) {
    if (span.parent === undefined) continue;
    const siblings = children.get(span.parent);
    if (siblings) siblings.push(span);
    else children.set(span.parent, [span]);
  }
  const known = new Map(spans.map((span) => [span.id, span]));
  return feedback.map((id) => {
    const own = new Set<Span>([known.get(id)!]);
    // A set that grows while it is walked: spans that name one another as parents are met once.
    for (const span of own) for (const child of children.get(span.id) ?? []) own.add(child);
    return [...own];
  });
}
