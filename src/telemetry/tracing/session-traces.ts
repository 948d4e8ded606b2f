import { type Context, type Link, ROOT_CONTEXT, type Span, SpanKind, type Tracer, trace } from '@opentelemetry/api';
import { remoteContext } from './remote-context.ts';
import { writeTraceparent } from './traceparent.ts';
import type { BegunSessionTrace, SessionTrace, TracedCall, TracedFeedback } from './tracing.ts';
import { soundMs, stageSpans, UtteranceRecord } from './utterance-trace.ts';
import { failSpan, type WrittenSpan, writeSpan } from './write-span.ts';

/** What is kept beside what failed. */
export type KeepingPolicy = {
  /** Share of the utterances that is kept whatever they are, 0 to 1. */
  share: number;
  /** A feedback or a final that took longer than this makes its utterance one to keep. */
  slowMs: number;
  /** Uniform in [0, 1). */
  random(): number;
};

export type TracedSessionOptions = {
  tracer: Tracer;
  policy: KeepingPolicy;
  begun: BegunSessionTrace;
  /** What was called for it before it began. */
  calls: readonly TracedCall[];
  onEnd(): void;
};

/**
 * The traces of one session: one of its own, and one for each utterance that is kept, linked with
 * it. Whether an utterance is kept is decided when it is over; the session's is when one of its
 * utterances was, or when its client asked for it.
 */
export class TracedSession implements SessionTrace {
  readonly #tracer: Tracer;
  readonly #policy: KeepingPolicy;
  readonly #begun: BegunSessionTrace;
  /** From the monotonic clock to that of the wall, ms. */
  readonly #wallMs: number;
  readonly #span: Span;
  readonly #open = new Map<number, { record: UtteranceRecord; span: Span }>();
  readonly #calls: TracedCall[] = [];
  readonly #onEnd: () => void;
  #isKept: boolean;

  constructor({ tracer, policy, begun, calls, onEnd }: TracedSessionOptions) {
    const { startMs, parent, attributes } = begun;
    this.#tracer = tracer;
    this.#policy = policy;
    this.#begun = begun;
    this.#onEnd = onEnd;
    this.#wallMs = Date.now() - performance.now();
    this.#isKept = parent?.isSampled ?? false;
    const context = parent ? remoteContext(parent) : ROOT_CONTEXT;
    const own = { ...attributes, 'speechfb.span': 'session' };
    const options = { kind: SpanKind.SERVER, startTime: this.#wallMs + startMs, attributes: own };
    // A span that is never ended is never sent.
    this.#span = tracer.startSpan('session', options, context);
    for (const call of calls) this.call(call);
  }

  /** A call for this session; of very many the last are forgotten, but for those that failed. */
  call(call: TracedCall): void {
    if (this.#calls.length < mostCalls || (call.failure !== undefined && this.#calls.length < 2 * mostCalls)) {
      this.#calls.push(call);
    }
  }

  utteranceBegun(utterance: number, startMs: number): string {
    const { share, slowMs, random } = this.#policy;
    const record = new UtteranceRecord(startMs, { slowMs, isShared: random() < share, random });
    // Others may write spans below it before it is known whether it is kept.
    const span = this.#utteranceSpan(record);
    this.#open.set(utterance, { record, span });
    const { traceId, spanId } = span.spanContext();
    return writeTraceparent({ traceId, spanId, isSampled: record.isKept });
  }

  feedback(utterance: number, feedback: TracedFeedback): string | undefined {
    const open = this.#open.get(utterance);
    if (!open) return undefined;
    open.record.add(feedback);
    return open.record.isKept ? open.span.spanContext().traceId : undefined;
  }

  utteranceEnded(utterance: number, reason: string, atMs: number): void {
    this.#open.get(utterance)?.record.ended(reason, atMs);
  }

  utteranceHanded(utterance: number): void {
    this.#open.get(utterance)?.record.handed();
  }

  utteranceFinal(utterance: number, atMs: number): void {
    this.#over(utterance, atMs, undefined, 'final');
  }

  end(atMs: number, failure: string | undefined): void {
    this.#onEnd();
    const outcome = failure === undefined ? 'abandoned' : 'failed';
    for (const utterance of [...this.#open.keys()]) this.#over(utterance, atMs, failure, outcome);
    if (failure !== undefined) this.#isKept = true;
    if (!this.#isKept) return;
    const context = trace.setSpan(ROOT_CONTEXT, this.#span);
    for (const { name, attributes, failure: why, ...times } of this.#calls) {
      this.#write(name, { ...times, kind: SpanKind.CLIENT, attributes, failure: why }, context);
    }
    if (failure !== undefined) failSpan(this.#span, failure);
    this.#span.end(this.#wallMs + atMs);
  }

  #over(utterance: number, atMs: number, failure: string | undefined, outcome: string): void {
    const open = this.#open.get(utterance);
    if (!open) return;
    this.#open.delete(utterance);
    const { record, span } = open;
    const keptFor = record.keptFor(atMs, failure);
    if (keptFor === undefined) return;
    this.#isKept = true;
    const context = trace.setSpan(ROOT_CONTEXT, span);
    const kept = record.feedback();
    for (const feedback of kept) this.#writeFeedback(feedback, context);
    if (record.endedMs !== undefined && outcome === 'final') {
      this.#write('final', { startMs: record.endedMs, endMs: atMs, attributes: {} }, context);
    }
    span.setAttributes({
      'speechfb.utterance': utterance,
      'speechfb.kept': keptFor,
      'speechfb.reason': record.reason,
      'speechfb.outcome': outcome,
      'speechfb.feedback.count': record.count,
      'speechfb.feedback.kept': kept.length,
    });
    if (failure !== undefined) failSpan(span, failure);
    span.end(this.#wallMs + atMs);
  }

  /** A trace of its own: a session of an hour would never be whole in time for a collector. */
  #utteranceSpan({ startMs }: UtteranceRecord): Span {
    const links: Link[] = [{ context: this.#span.spanContext() }];
    const attributes = { ...this.#begun.attributes, 'speechfb.span': 'utterance' };
    const startTime = this.#wallMs + startMs;
    return this.#tracer.startSpan('utterance', { kind: SpanKind.SERVER, startTime, links, attributes }, ROOT_CONTEXT);
  }

  #writeFeedback(feedback: TracedFeedback, context: Context): void {
    const startMs = soundMs(feedback);
    const attributes = { 'speechfb.span': 'feedback' };
    const below = this.#write('feedback', { startMs, endMs: feedback.writtenMs, attributes }, context);
    for (const { name, ...times } of stageSpans(feedback)) {
      this.#write(name, { ...times, attributes: { 'speechfb.stage': name } }, below);
    }
  }

  #write(name: string, span: WrittenSpan, context: Context): Context {
    return writeSpan({ tracer: this.#tracer, wallMs: this.#wallMs }, name, span, context);
  }
}

/** Calls of one session that its trace has room for. */
const mostCalls = 32;
