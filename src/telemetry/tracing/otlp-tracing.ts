import type { Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, BasicTracerProvider, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { SecretUrl } from '../../secret-url.ts';
import { withAnswerDeadline } from './answer-deadline.ts';
import { TracedMessage } from './message-traces.ts';
import { TracedNodeUtterance } from './node-traces.ts';
import { type KeepingPolicy, TracedSession } from './session-traces.ts';
import { SpanQueue } from './span-queue.ts';
import { parseTraceparent } from './traceparent.ts';
import type {
  BegunMessage,
  BegunNodeTrace,
  BegunSessionTrace,
  MessageTrace,
  MessageTracing,
  NodeTrace,
  NodeTracing,
  SpanCounts,
  TracedCall,
  Tracing,
} from './tracing.ts';

export type OtlpTracingOptions = Omit<TracesOptions, 'exporter' | 'random'> & {
  /** Where spans go, `/v1/traces` included. */
  url: SecretUrl;
  /** How long the receiver may be silent. */
  answerMs?: number;
};

/**
 * Traces to an OTLP receiver. This file loads the OpenTelemetry SDK: it is imported only where
 * somebody wants traces.
 */
export function openOtlpTracing({ url, answerMs = 5000, ...options }: OtlpTracingOptions): Traces {
  const otlp = new OTLPTraceExporter({ url: url.href, headers: url.authorization, timeoutMillis: answerMs });
  // A second more than the exporter gives itself, tries and all.
  return new Traces({ ...options, exporter: withAnswerDeadline(otlp, answerMs + 1000), random: Math.random });
}

export type TracesOptions = KeepingPolicy & {
  exporter: SpanExporter;
  version: string;
  /** The receiver has begun to fail, or takes spans again (undefined). */
  onTrouble(why: string | undefined): void;
};

/** What is traced of sessions, nodes and messages, and the way of its spans to an exporter. */
export class Traces implements Tracing, NodeTracing, MessageTracing, AsyncDisposable {
  readonly #queue: SpanQueue;
  readonly #provider: BasicTracerProvider;
  readonly #tracer: Tracer;
  readonly #policy: KeepingPolicy;
  readonly #sessions = new Map<string, TracedSession>();
  /** Calls for sessions that have not begun. */
  readonly #early = new Map<string, TracedCall[]>();

  constructor({ exporter, version, onTrouble, ...policy }: TracesOptions) {
    this.#policy = policy;
    this.#queue = new SpanQueue({ exporter, onTrouble });
    const own = resourceFromAttributes({ 'service.name': 'speechfb', 'service.version': version });
    this.#provider = new BasicTracerProvider({
      sampler: new AlwaysOnSampler(),
      // What the environment says of the service goes before what it says of itself.
      resource: defaultResource()
        .merge(own)
        .merge(detectResources({ detectors: [envDetector] })),
      spanProcessors: [this.#queue],
    });
    this.#tracer = this.#provider.getTracer('speechfb', version);
  }

  begin(begun: BegunSessionTrace): TracedSession {
    const { sessionId } = begun;
    const session: TracedSession = new TracedSession({
      tracer: this.#tracer,
      policy: this.#policy,
      begun,
      calls: this.#early.get(sessionId) ?? [],
      onEnd: () => {
        // One that was taken over elsewhere may have come back meanwhile.
        if (this.#sessions.get(sessionId) === session) this.#sessions.delete(sessionId);
      },
    });
    this.#early.delete(sessionId);
    this.#sessions.set(sessionId, session);
    return session;
  }

  utterance(begun: BegunNodeTrace): NodeTrace | undefined {
    const parent = parseTraceparent(begun.traceparent);
    return parent && new TracedNodeUtterance({ tracer: this.#tracer, policy: this.#policy, begun, parent });
  }

  message(begun: BegunMessage): MessageTrace {
    return new TracedMessage(this.#tracer, begun);
  }

  call(sessionId: string, call: TracedCall): void {
    const session = this.#sessions.get(sessionId);
    if (session) session.call(call);
    else this.#keepEarly(sessionId, call);
  }

  spans(): SpanCounts {
    return this.#queue.counts;
  }

  /** Sends what waits. */
  async flush(): Promise<void> {
    await this.#provider.forceFlush();
  }

  /** Sends what waits, for a moment at most. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#provider.shutdown();
  }

  /** Many a call is for a session that never begins: the oldest are forgotten. */
  #keepEarly(sessionId: string, call: TracedCall): void {
    const calls = this.#early.get(sessionId);
    if (calls) {
      if (calls.length < mostEarlyCalls) calls.push(call);
      return;
    }
    this.#early.set(sessionId, [call]);
    const [oldest] = this.#early.keys();
    if (this.#early.size > mostEarlySessions && oldest !== undefined) this.#early.delete(oldest);
  }
}

const mostEarlyCalls = 8;
const mostEarlySessions = 1000;
