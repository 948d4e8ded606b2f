import protobuf from 'protobufjs';

/**
 * OTLP traces in their binary encoding (opentelemetry-proto, trace/v1) as the JSON encoding has
 * them: ids in hexadecimal digits, nanoseconds and 64-bit numbers as text.
 * @throws RangeError, Error: the bytes are no such message
 */
export function decodeOtlpTraces(bytes: Uint8Array): object {
  const message = tracesData.decode(bytes);
  const options = { longs: String, defaults: false, bytes: Array } as const;
  return withHexIds(tracesData.toObject(message, options)) as object;
}

/** The fields that say anything of time; what else there is stays unread. */
const schema = `
  syntax = "proto3";
  message TracesData { repeated ResourceSpans resourceSpans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scopeSpans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
  message Scope { string name = 1; string version = 2; }
  message Span {
    bytes traceId = 1;
    bytes spanId = 2;
    bytes parentSpanId = 4;
    string name = 5;
    int32 kind = 6;
    fixed64 startTimeUnixNano = 7;
    fixed64 endTimeUnixNano = 8;
    repeated KeyValue attributes = 9;
    repeated Link links = 13;
    Status status = 15;
  }
  message Link { bytes traceId = 1; bytes spanId = 2; }
  message Status { string message = 2; int32 code = 3; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue {
    oneof value { string stringValue = 1; bool boolValue = 2; int64 intValue = 3; double doubleValue = 4; }
  }
`;
const tracesData = protobuf.parse(schema, { keepCase: true }).root.lookupType('TracesData');

function withHexIds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withHexIds);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, of]) => [
      key,
      /Id$/.test(key) && Array.isArray(of) ? Buffer.from(of).toString('hex') : withHexIds(of),
    ]),
  );
}
