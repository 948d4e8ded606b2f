import { criticalPath, type Span } from './critical-path.ts';
import { type SplitLabel, splitLabels } from './split-labels.ts';
import type { ProblemList } from './trace-lines.ts';
import type { TraceRecord } from './trace-table.ts';

/**
 * Reads traces in OTLP's JSON encoding (`resourceSpans[].scopeSpans[].spans[]`, times in Unix nanoseconds). A span is a
 * stage by its `speechfb.stage` attribute or its name; profile, language, device and session are attributes of any span of
 * the trace or of its resource, with or without `speechfb.` before them.
 */
export class OtlpReader {
  readonly #traces = new Map<string, Trace>();
  readonly #file: string;
  readonly #stageNames: ReadonlySet<string>;
  readonly #problems: ProblemList;

  constructor(file: string, stageNames: Iterable<string>, problems: ProblemList) {
    this.#file = file;
    this.#stageNames = new Set(stageNames);
    this.#problems = problems;
  }

  /** Adds one export document; spans of one trace may come in several. `line` is where it begins in its file. */
  add(document: unknown, line: number): void {
    const groups = listAt(document, 'resourceSpans');
    if (!groups) {
      this.#problem(line, '', 'is not an OTLP trace document: it has no list "resourceSpans"');
      return;
    }
    groups.forEach((group, g) => {
      const resource = attributesOf(field(group, 'resource'));
      (listAt(group, 'scopeSpans') ?? []).forEach((scope, s) => {
        (listAt(scope, 'spans') ?? []).forEach((raw, i) => {
          this.#addSpan(raw, resource, line, `resourceSpans[${g}].scopeSpans[${s}].spans[${i}]`);
        });
      });
    });
  }

  /** Every trace as a record, its stages by the critical path; the mean overlap of stages, ms. */
  finish(take: (record: TraceRecord) => void): { overlapMs: number } {
    let overlapMs = 0;
    for (const [id, trace] of this.#traces) {
      const path = criticalPath(trace.spans, ({ name }) => (this.#stageNames.has(name) ? name : undefined));
      overlapMs += path.overlapMs;
      take({
        totalMs: path.totalMs,
        stages: path.stages,
        atMs: path.startMs,
        session: trace.attributes.session ?? id,
        labels: trace.attributes,
        line: trace.line,
      });
    }
    return { overlapMs: this.#traces.size === 0 ? 0 : overlapMs / this.#traces.size };
  }

  #addSpan(raw: unknown, resource: Attributes, line: number, path: string): void {
    const [traceId, spanId] = [field(raw, 'traceId'), field(raw, 'spanId')];
    const startMs = unixMs(field(raw, 'startTimeUnixNano'));
    const endMs = unixMs(field(raw, 'endTimeUnixNano'));
    const fault = spanFault(traceId, spanId, startMs, endMs);
    if (fault) this.#problem(line, path, fault);
    if (typeof traceId !== 'string' || startMs === undefined || endMs === undefined || fault) return;
    const own = attributesOf(raw);
    const parent = field(raw, 'parentSpanId');
    const trace = this.#traces.get(traceId) ?? { spans: [], attributes: {}, line };
    const name = own.stage ?? String(field(raw, 'name') ?? '');
    trace.spans.push({ id: String(spanId), parent: parent ? String(parent) : undefined, name, startMs, endMs });
    trace.attributes = { ...resource, ...trace.attributes, ...own };
    this.#traces.set(traceId, trace);
  }

  #problem(line: number, path: string, message: string): void {
    this.#problems.add({ where: `${this.#file}:${line}:1`, message: `${path} ${message}`.trim() });
  }
}

function spanFault(traceId: unknown, spanId: unknown, startMs?: number, endMs?: number): string | undefined {
  if (typeof traceId !== 'string' || typeof spanId !== 'string') return 'has no traceId and spanId';
  if (startMs === undefined || endMs === undefined)
    return 'has no startTimeUnixNano and endTimeUnixNano in nanoseconds';
  return endMs < startMs ? `ends ${startMs - endMs} ms before it starts` : undefined;
}

type Attributes = Partial<Record<SplitLabel | 'session' | 'stage', string>>;
type Trace = { spans: Span[]; attributes: Attributes; line: number };

const attributeNames = [...splitLabels, 'session', 'stage'] as const;

function attributesOf(owner: unknown): Attributes {
  const found: Attributes = {};
  for (const attribute of listAt(owner, 'attributes') ?? []) {
    const key = String(field(attribute, 'key') ?? '').replace(/^speechfb\./, '');
    const value = field(field(attribute, 'value'), 'stringValue');
    const name = attributeNames.find((each) => each === key);
    if (name && typeof value === 'string') found[name] = value;
  }
  return found;
}

/** Nanoseconds as text or number; a whole epoch does not fit a double, its milliseconds and their fraction do. */
function unixMs(value: unknown): number | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || !/^\d+$/.test(text)) return undefined;
  const nanos = BigInt(text);
  return Number(nanos / 1_000_000n) + Number(nanos % 1_000_000n) / 1e6;
}

function field(owner: unknown, key: string): unknown {
  return typeof owner === 'object' && owner !== null ? (owner as Record<string, unknown>)[key] : undefined;
}

function listAt(owner: unknown, key: string): unknown[] | undefined {
  const list = field(owner, key);
  return Array.isArray(list) ? list : undefined;
}
