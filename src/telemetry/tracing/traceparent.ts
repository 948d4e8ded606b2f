/** The span of a caller that a session belongs to. */
export type RemoteSpan = { traceId: string; spanId: string; isSampled: boolean };

/**
 * Reads a `traceparent` (W3C Trace Context, section 3.2); undefined for one that is malformed,
 * which whoever gets it is to pass over. Of a later version only what version 00 has is read.
 */
export function parseTraceparent(text: string): RemoteSpan | undefined {
  const [, version, traceId, spanId, flags, rest] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/s.exec(text) ?? [];
  if (version === undefined || traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** The `traceparent` of a span, in version 00. */
export function writeTraceparent({ traceId, spanId, isSampled }: RemoteSpan): string {
  return `00-${traceId}-${spanId}-0${Number(isSampled)}`;
}
