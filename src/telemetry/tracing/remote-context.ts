import { type Context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import type { RemoteSpan } from './traceparent.ts';

/** The context of what is below a span of another program. */
export function remoteContext({ traceId, spanId, isSampled }: RemoteSpan): Context {
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: Number(isSampled), isRemote: true });
}
