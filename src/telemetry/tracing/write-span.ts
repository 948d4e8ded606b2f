import { type Context, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import type { SpanAttributes } from './tracing.ts';

/** A span that is over, ms on the server's clock. */
export type WrittenSpan = {
  startMs: number;
  endMs: number;
  kind?: SpanKind;
  attributes: SpanAttributes;
  /** Why it failed, as few words for few reasons. */
  failure?: string | undefined;
};

/**
 * Writes a span that is over, and gives the context of those below it.
 *
 * @param wallMs from the monotonic clock to that of the wall
 */
export function writeSpan(
  { tracer, wallMs }: { tracer: Tracer; wallMs: number },
  name: string,
  { startMs, endMs, kind = SpanKind.INTERNAL, attributes, failure }: WrittenSpan,
  context: Context,
): Context {
  const span = tracer.startSpan(name, { kind, startTime: wallMs + startMs, attributes }, context);
  if (failure !== undefined) failSpan(span, failure);
  span.end(wallMs + endMs);
  return trace.setSpan(context, span);
}

export function failSpan(span: Span, why: string): void {
  span.setAttribute('error.type', why);
  span.setStatus({ code: SpanStatusCode.ERROR });
}
