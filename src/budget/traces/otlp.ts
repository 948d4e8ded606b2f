import { SpeechfbError } from '../../errors.ts';
import { whole } from '../../format.ts';
import { alignToParents, SkewTally } from './clock-skew.ts';
import { criticalPath, type Span } from './critical-path.ts';
import { foreignDocument, isOtherSignal } from './foreign-traces.ts';
import type { ProblemList } from './lines.ts';
import { attributesOf, idAt, listAt, otlpField, type TraceAttributes, unixMs } from './otlp-fields.ts';
import { recordsOf } from './own-traces.ts';
import type { TraceRecord } from './table.ts';

/**
 * `file:line:column` of what a document quotes, such as a span's id; of the document's begin
 * without one.
 */
export type PlaceOf = (quoted?: string) => string;

/** What the traces showed beside their records. */
export type OtlpSummary = {
  /** How much the stages overlap, ms a trace. */
  overlapMs: number;
  /**
   * Time on critical paths in spans that are no stage, ms a trace by span name, the longest first.
   */
  unclaimed: readonly (readonly [name: string, ms: number])[];
  /** What a reader should know though it is no mistake. */
  notes: readonly string[];
};

/**
 * Reads traces in OTLP's JSON encoding (`resourceSpans[].scopeSpans[].spans[]`, times in Unix
 * nanoseconds, names in camelCase or as in the .proto). A span is a stage by its `speechfb.stage`
 * attribute or its name; profile, language, device and session are attributes of any span of the
 * trace or of its resource, with or without `speechfb.` before them.
 */
export class OtlpReader {
  readonly #traces = new Map<string, Trace>();
  readonly #stageNames: ReadonlySet<string>;
  readonly #problems: ProblemList;
  #spans = 0;
  #otherSignals = 0;

  constructor(stageNames: Iterable<string>, problems: ProblemList) {
    this.#stageNames = new Set(stageNames);
    this.#problems = problems;
  }

  /** Adds one export document that begins at `line`; spans of one trace may come in several. */
  add(document: unknown, line: number, placeOf: PlaceOf): void {
    const groups = listAt(document, 'resourceSpans');
    if (!groups) {
      // A collector may write all that it gets into one file.
      if (isOtherSignal(document)) this.#otherSignals++;
      else this.#problems.add({ where: placeOf(), message: foreignDocument(document) });
      return;
    }
    groups.forEach((group, g) => {
      const resource = attributesOf(otlpField(group, 'resource'));
      const scopes = listAt(group, 'scopeSpans') ?? listAt(group, 'instrumentationLibrarySpans') ?? [];
      scopes.forEach((scope, s) => {
        (listAt(scope, 'spans') ?? []).forEach((raw, i) => {
          const fault = this.#addSpan(raw, resource, line);
          if (!fault) return;
          const id = otlpField(raw, 'spanId');
          const where = placeOf(typeof id === 'string' ? id : undefined);
          const path = `resourceSpans[${g}].scopeSpans[${s}].spans[${i}]`;
          this.#problems.add({ where, message: `${path} "${otlpField(raw, 'name') ?? ''}" ${fault}` });
        });
      });
    });
  }

  /** Every trace as a record, its stages by the critical path. */
  finish(take: (record: TraceRecord) => void): OtlpSummary {
    let overlapMs = 0;
    let records = 0;
    let leftOut = 0;
    const unclaimed = new Map<string, number>();
    const skew = new SkewTally();
    for (const [id, trace] of this.#traces) {
      const { attributes, line } = trace;
      if (attributes.kept !== undefined && attributes.kept !== 'share') {
        leftOut++;
        continue;
      }
      if (!this.#hasRecord(trace)) continue;
      for (const own of recordsOf(trace.spans, trace.feedback)) {
        const { spans, shifts } = alignToParents(own, ({ name }) => this.#stageNames.has(name));
        skew.add(shifts);
        const path = criticalPath(spans, ({ name }) => (this.#stageNames.has(name) ? name : undefined));
        overlapMs += path.overlapMs;
        records++;
        for (const [name, ms] of path.unclaimed) unclaimed.set(name, (unclaimed.get(name) ?? 0) + ms);
        const session = attributes.session ?? id;
        take({ totalMs: path.totalMs, stages: path.stages, atMs: path.startMs, session, labels: attributes, line });
      }
    }
    const n = Math.max(1, records);
    const longest = [...unclaimed].map(([name, ms]) => [name, ms / n] as const).sort(([, a], [, b]) => b - a);
    return {
      overlapMs: overlapMs / n,
      unclaimed: longest,
      notes: [...skew.notes(records), ...this.#passedOver(), ...notesOfLeftOut(leftOut)],
    };
  }

  /** Sessions and utterances of ours without a feedback are no records. */
  #hasRecord({ spans, feedback, isOwn }: Trace): boolean {
    return !isOwn || feedback.length > 0 || spans.some(({ name }) => this.#stageNames.has(name));
  }

  #passedOver(): string[] {
    if (this.#otherSignals === 0) return [];
    const documents = this.#otherSignals === 1 ? 'a document' : `${whole(this.#otherSignals)} documents`;
    return [`${documents} of logs, metrics or profiles ${this.#otherSignals === 1 ? 'was' : 'were'} passed over`];
  }

  /** What is wrong with the span, or undefined when it was added. */
  #addSpan(raw: unknown, resource: TraceAttributes, line: number): string | undefined {
    const [traceId, spanId] = [idAt(raw, 'traceId'), idAt(raw, 'spanId')];
    if (traceId === undefined || spanId === undefined) return 'has no traceId and spanId';
    if (traceId === '') return 'has an empty traceId: of which trace it is nobody can tell';
    if (spanId === '') return 'has an empty spanId';
    const startMs = unixMs(otlpField(raw, 'startTimeUnixNano'));
    const endMs = unixMs(otlpField(raw, 'endTimeUnixNano'));
    if (startMs !== undefined && isMissing(endMs, otlpField(raw, 'endTimeUnixNano')))
      return 'is unfinished: it has no endTimeUnixNano; leave out traces whose spans have not ended';
    if (startMs === undefined || endMs === undefined)
      return 'has no startTimeUnixNano and endTimeUnixNano in nanoseconds';
    if (startMs === 0) return 'has a startTimeUnixNano of 0: nobody set it';
    if (endMs < startMs) return `ends ${Number((startMs - endMs).toFixed(3))} ms before it starts`;
    if (++this.#spans > mostSpans) throw tooManySpans();
    const own = attributesOf(raw);
    const parent = idAt(raw, 'parentSpanId') || undefined;
    const trace = this.#traces.get(traceId) ?? { spans: [], feedback: [], isOwn: false, attributes: {}, line };
    const name = own.stage ?? String(otlpField(raw, 'name') ?? '');
    if (own.span === 'feedback') trace.feedback.push(spanId);
    trace.isOwn ||= own.span !== undefined;
    trace.spans.push({ id: spanId, parent, name, startMs, endMs });
    trace.attributes = { ...resource, ...trace.attributes, ...own };
    this.#traces.set(traceId, trace);
    return undefined;
  }
}

/** OTLP writes 0, or nothing, for the end of a span that goes on. */
function isMissing(ms: number | undefined, written: unknown): boolean {
  return ms === 0 || written === undefined || written === null || written === '';
}

type Trace = {
  spans: Span[];
  /** The spans that are a feedback each, by id. */
  feedback: string[];
  /** Whether `speechfb serve` wrote spans of it. */
  isOwn: boolean;
  attributes: TraceAttributes;
  line: number;
};

/** What was kept for being slow or for having failed is no sample of anything. */
function notesOfLeftOut(count: number): string[] {
  if (count === 0) return [];
  const are = count === 1 ? 'utterance is' : 'utterances are';
  return [
    `${whole(count)} ${are} left out that ${count === 1 ? 'was' : 'were'} kept for being slow or failed: no sample`,
  ];
}

/** A trace is whole only when the file ends, so every span is held: about 250 bytes each. */
const mostSpans = 4_000_000;

function tooManySpans(): SpeechfbError {
  const hint = 'cut the export, or write trace records (--traces, one JSON object a line): these are streamed';
  return new SpeechfbError('bad_traces', `the OTLP export has more than ${whole(mostSpans)} spans`, {
    hint,
  });
}
