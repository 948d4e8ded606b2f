import type { StartMessage } from '../protocol/client-messages.ts';
import type { StageTimings } from '../protocol/stages.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { parseTraceparent } from '../telemetry/tracing/traceparent.ts';
import type { SessionTrace, TracedFeedback, Tracing } from '../telemetry/tracing/tracing.ts';
import { publicId, tenantIn } from './public-names.ts';

/** What of a server its traces need. */
type TracingContext = {
  tracing?: Tracing | undefined;
  metrics: Pick<Metrics, 'traceparent'>;
  engine: { model: { name: string; version: string } };
};

/** The trace of a session that begins; undefined: nobody wants any. */
export function traceSession(
  context: TracingContext,
  session: { id: string; owner: string | undefined; startedMs: number },
  start: StartMessage,
): SessionTrace | undefined {
  const { tracing, metrics } = context;
  if (!tracing) return undefined;
  const { traceparent, lane, language } = start;
  const parent = traceparent === undefined ? undefined : parseTraceparent(traceparent);
  if (traceparent !== undefined) metrics.traceparent(parent ? 'taken' : 'malformed');
  const { name, version } = context.engine.model;
  // An owner that is no tenant's may be a person.
  const tenant = session.owner?.startsWith('tenant:') ? tenantIn(session.owner) : undefined;
  return tracing.begin({
    sessionId: session.id,
    startMs: session.startedMs,
    parent,
    attributes: {
      'speechfb.session': publicId(session.id),
      'speechfb.lane': lane,
      'speechfb.language': language,
      'speechfb.model': `${name} ${version}`,
      ...(tenant !== undefined && { 'speechfb.tenant': tenant }),
    },
  });
}

/** Tells a trace of a partial result that goes out; gives the trace when that is to be kept. */
export function tracePartial(
  trace: SessionTrace | undefined,
  { message, arrivedMs, captureMs }: TracedPartial,
  { timing, totalMs }: { timing: StageTimings; totalMs: number },
): string | undefined {
  return trace?.feedback(message.utterance_id, {
    type: message.type,
    captureMs,
    arrivedMs,
    writtenMs: arrivedMs + totalMs,
    timing,
  });
}

type TracedPartial = Pick<TracedFeedback, 'arrivedMs' | 'captureMs'> & {
  message: { type: TracedFeedback['type']; utterance_id: number };
};
