import { durationText } from '../../format.ts';
import type { Span } from './critical-path.ts';

/** By how much spans were moved, ms, by name; the most of each name. */
export type Shifts = ReadonlyMap<string, number>;

/**
 * Moves spans that lie outside their parent back into it, each with all that hangs below it and as
 * little as possible: clocks of two machines differ, and a stage that ran "after" its parent would
 * have no share of it. A span that is longer than its parent cannot lie inside; it keeps what it
 * has of the parent, and is moved to the parent's begin when that is nothing or when it began
 * before. Only spans that are a stage or hold one are moved: others may well be work that goes on
 * in the background.
 */
export function alignToParents(
  spans: readonly Span[],
  isStage: (span: Span) => boolean,
): { spans: readonly Span[]; shifts: Shifts } {
  const known = new Map(spans.map((span) => [span.id, span]));
  const holders = holdersOfStages(spans, known, isStage);
  const outside = spans.some((span) => {
    const parent = parentOf(span, known);
    return parent !== undefined && holders.has(span) && shiftInto(parent, span) !== 0;
  });
  if (!outside) return { spans, shifts: new Map() };
  const children = new Map<Span | undefined, Span[]>();
  for (const span of spans) {
    const parent = parentOf(span, known);
    const siblings = children.get(parent);
    if (siblings) siblings.push(span);
    else children.set(parent, [span]);
  }
  const moved = new Map<Span, Span>();
  const shifts = new Map<string, number>();
  // Not by recursion: a trace may be as deep as it is long.
  const open = (children.get(undefined) ?? []).map((span) => ({ span, to: span }));
  for (let one = open.pop(); one; one = open.pop()) {
    const { span, to } = one;
    moved.set(span, to);
    for (const child of children.get(span) ?? []) {
      const along = shifted(child, to.startMs - span.startMs);
      const own = holders.has(child) ? shiftInto(to, along) : 0;
      if (own !== 0) shifts.set(child.name, Math.max(shifts.get(child.name) ?? 0, Math.abs(own)));
      open.push({ span: child, to: shifted(along, own) });
    }
  }
  return { spans: spans.map((span) => moved.get(span) ?? span), shifts };
}

/** Counts over many traces what `alignToParents` had to move. */
export class SkewTally {
  #traces = 0;
  readonly #most = new Map<string, { ms: number; traces: number }>();

  add(shifts: Shifts): void {
    const told = [...shifts].filter(([, ms]) => ms >= leastToldMs);
    if (told.length > 0) this.#traces++;
    for (const [name, ms] of told) {
      const { ms: most, traces } = this.#most.get(name) ?? { ms: 0, traces: 0 };
      this.#most.set(name, { ms: Math.max(most, ms), traces: traces + 1 });
    }
  }

  /**
   * What a reader should know, with the spans that were moved in most traces; nothing when none
   * was.
   */
  notes(traces: number): string[] {
    if (this.#traces === 0) return [];
    const named = [...this.#most]
      .sort(([, a], [, b]) => b.traces - a.traces)
      .slice(0, 3)
      .map(([name, { ms }]) => `"${name}" by up to ${durationText(ms)}`);
    return [
      `in ${this.#traces} of ${traces} traces a stage lies outside its parent (${named.join(', ')}): clocks differ, or it runs on in the background; it was moved into its parent`,
    ];
  }
}

/** Clocks that only count milliseconds put spans so far outside. */
const leastToldMs = 1;

/** Spans that are a stage, and all above them. */
function holdersOfStages(
  spans: readonly Span[],
  known: ReadonlyMap<string, Span>,
  isStage: (span: Span) => boolean,
): ReadonlySet<Span> {
  const holders = new Set<Span>();
  for (const span of spans) {
    if (!isStage(span)) continue;
    for (let at: Span | undefined = span; at && !holders.has(at); at = parentOf(at, known)) holders.add(at);
  }
  return holders;
}

function parentOf(span: Span, known: ReadonlyMap<string, Span>): Span | undefined {
  const parent = span.parent === undefined ? undefined : known.get(span.parent);
  return parent === span ? undefined : parent;
}

/** What moves a span into its parent, ms; negative to earlier. */
function shiftInto(parent: Span, span: Span): number {
  if (span.startMs < parent.startMs) return parent.startMs - span.startMs;
  if (span.endMs <= parent.endMs) return 0;
  const isLonger = span.endMs - span.startMs > parent.endMs - parent.startMs;
  if (!isLonger) return parent.endMs - span.endMs;
  return span.startMs < parent.endMs ? 0 : parent.startMs - span.startMs;
}

function shifted(span: Span, ms: number): Span {
  return ms === 0 ? span : { ...span, startMs: span.startMs + ms, endMs: span.endMs + ms };
}
