import { type Link, ROOT_CONTEXT, type Span, type SpanContext, SpanKind, type Tracer, trace } from '@opentelemetry/api';
import { remoteContext } from './remote-context.ts';
import { parseTraceparent, writeTraceparent } from './traceparent.ts';
import type { BegunMessage, MessageTrace } from './tracing.ts';
import { failSpan } from './write-span.ts';

/**
 * A message to or from a queue, by OpenTelemetry's semantic conventions for messaging (Semantic
 * conventions for messaging spans): who sends is a producer, below what it is sent for; who works
 * on it is a consumer with a trace of its own, linked with the sending, which may be hours ago.
 * All are kept: what is handed over is rare.
 */
export class TracedMessage implements MessageTrace {
  readonly traceparent: string;
  readonly #tracer: Tracer;
  readonly #span: Span;

  constructor(tracer: Tracer, { operation, destination, parent, link, attributes }: BegunMessage) {
    const above = parent === undefined ? undefined : parseTraceparent(parent);
    const named = { 'messaging.operation.name': operation, 'messaging.operation.type': operation };
    const options = {
      kind: operation === 'send' ? SpanKind.PRODUCER : SpanKind.CONSUMER,
      attributes: { ...named, 'messaging.destination.name': destination, ...attributes },
      links: linksTo(link),
    };
    this.#tracer = tracer;
    this.#span = tracer.startSpan(`${operation} ${destination}`, options, above ? remoteContext(above) : ROOT_CONTEXT);
    const { traceId, spanId } = this.#span.spanContext();
    this.traceparent = writeTraceparent({ traceId, spanId, isSampled: true });
  }

  part(name: string): (failure?: string) => void {
    const span = this.#tracer.startSpan(name, { kind: SpanKind.INTERNAL }, trace.setSpan(ROOT_CONTEXT, this.#span));
    return (failure) => endSpan(span, failure);
  }

  end(failure?: string): void {
    endSpan(this.#span, failure);
  }
}

function endSpan(span: Span, failure: string | undefined): void {
  if (failure !== undefined) failSpan(span, failure);
  span.end();
}

function linksTo(traceparent: string | undefined): Link[] {
  const span = traceparent === undefined ? undefined : parseTraceparent(traceparent);
  const context: SpanContext | undefined = span && trace.getSpanContext(remoteContext(span));
  return context ? [{ context }] : [];
}
