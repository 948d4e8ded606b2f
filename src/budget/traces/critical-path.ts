/** A timed piece of one trace, ms on any clock that the trace shares. */
export type Span = { id: string; parent: string | undefined; name: string; startMs: number; endMs: number };

export type CriticalPath = {
  startMs: number;
  totalMs: number;
  /**
   * Time on the critical path by stage, ms; 0 for a stage beside it. With the total's own remainder
   * they sum to `totalMs`.
   */
  stages: Record<string, number>;
  /**
   * Time on the path that no stage has, ms, by the name of the span that holds it; between spans
   * under the empty name.
   */
  unclaimed: ReadonlyMap<string, number>;
  /**
   * How much longer the stages' spans are together than their time on the path: work that
   * overlapped.
   */
  overlapMs: number;
};

/**
 * Splits one trace's time over its stages by the critical path, as Uber's CRISP does: from the end
 * backwards, time belongs to the child that ended last, and to the parent where no child ran.
 * Overlapping stages thus share no millisecond, and the parts sum to the total. `stageOf` names a
 * span's stage; a span without one belongs to its parent's, and time that no stage holds is left to
 * the caller as unattributed. Spans without a parent in the trace hang below one root.
 */
export function criticalPath(spans: readonly Span[], stageOf: (span: Span) => string | undefined): CriticalPath {
  const known = new Map(spans.map((span) => [span.id, span]));
  const children = new Map<string | undefined, Span[]>();
  for (const span of spans) {
    const parent =
      span.parent !== undefined && known.has(span.parent) && span.parent !== span.id ? span.parent : undefined;
    const siblings = children.get(parent);
    if (siblings) siblings.push(span);
    else children.set(parent, [span]);
  }
  for (const list of children.values()) list.sort((a, b) => b.endMs - a.endMs);
  // Spans that name one another as parents have no root: their time is then nobody's.
  const roots = children.get(undefined) ?? spans;
  const startMs = roots.reduce((least, { startMs: start }) => Math.min(least, start), Number.POSITIVE_INFINITY);
  const endMs = roots.reduce((most, { endMs: end }) => Math.max(most, end), Number.NEGATIVE_INFINITY);
  // A stage that never is on the path is still a stage of the trace.
  const stages = Object.fromEntries(spans.flatMap((span) => (stageOf(span) ? [[stageOf(span)!, 0]] : [])));
  const unclaimed = new Map<string, number>();
  const claim = ({ stage, name }: Holder, ms: number) => {
    if (ms <= 0) return;
    if (stage === undefined) unclaimed.set(name, (unclaimed.get(name) ?? 0) + ms);
    else stages[stage]! += ms;
  };
  // Not by recursion: a trace may be as deep as it is long.
  const open: (Holder & { id: string | undefined; from: number; to: number })[] = [
    { id: undefined, stage: undefined, name: '', from: startMs, to: endMs },
  ];
  for (let holder = open.pop(); holder; holder = open.pop()) {
    let cursor = holder.to;
    for (const child of children.get(holder.id) ?? []) {
      const to = Math.min(child.endMs, cursor);
      const from = Math.max(child.startMs, holder.from);
      if (to <= from) continue;
      claim(holder, cursor - to);
      open.push({ id: child.id, stage: stageOf(child) ?? holder.stage, name: child.name, from, to });
      cursor = from;
    }
    claim(holder, cursor - holder.from);
  }
  const spent = spans.reduce((sum, span) => sum + (stageOf(span) === undefined ? 0 : span.endMs - span.startMs), 0);
  const onPath = Object.values(stages).reduce((sum, ms) => sum + ms, 0);
  return { startMs, totalMs: endMs - startMs, stages, unclaimed, overlapMs: Math.max(0, spent - onPath) };
}

type Holder = { stage: string | undefined; name: string };
