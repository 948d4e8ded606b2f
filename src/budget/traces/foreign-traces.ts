import { listAt, otlpField } from './otlp-fields.ts';

/**
 * What a file that holds no trace record seems to be, from its first line that is not empty, and
 * what to do about it. Undefined when nobody could tell.
 */
export function foreignHint(firstLine: string): string | undefined {
  return kinds.find(({ looks }) => looks.test(firstLine))?.hint;
}

/**
 * Whether it is an OTLP document of another signal, which a collector may write between the traces.
 */
export function isOtherSignal(document: unknown): boolean {
  return ['resourceLogs', 'resourceMetrics', 'resourceProfiles'].some((key) => listAt(document, key) !== undefined);
}

/** What a JSON document that is no OTLP trace seems to be, and what makes one of it. */
export function foreignDocument(document: unknown): string {
  const first = Array.isArray(document) ? document[0] : document;
  const has = (key: string, owner: unknown = first) => listAt(owner, key) !== undefined;
  if (Array.isArray(document)) {
    if (has('resourceSpans')) return "is an array of OTLP documents; they stand one a line: jq -c '.[]' FILE";
    if (isZipkin(first)) return "is Zipkin's JSON, not OTLP; send it to a Collector (zipkin receiver, file exporter)";
    return 'is a JSON array, not an OTLP trace document: it has no list "resourceSpans"';
  }
  if (has('batches')) return "is Tempo's JSON; its batches are resourceSpans: jq -c '{resourceSpans: .batches}' FILE";
  if (has('resourceSpans', otlpField(document, 'trace')))
    return "is Tempo's JSON, the document within: jq -c .trace FILE";
  if (has('traces'))
    return "is a list of traces that a search found; fetch each of them as OTLP, such as Tempo's /api/v2/traces/ID";
  if (has('data') || has('spans'))
    return "is Jaeger's JSON, not OTLP; Jaeger's /api/v3/traces/ID answers OTLP: jq -c .result FILE";
  if (has('resourceSpans', otlpField(document, 'result')))
    return "is Jaeger's answer, the document within: jq -c .result FILE";
  return 'is not an OTLP trace document: it has no list "resourceSpans"';
}

function isZipkin(span: unknown): boolean {
  return ['traceId', 'id', 'timestamp'].every((key) => otlpField(span, key) !== undefined);
}

const oneALine = 'trace records stand one JSON object a line';

const kinds: readonly { looks: RegExp; hint: string }[] = [
  { looks: /[\0\ufffd]/, hint: `the file is binary; ${oneALine}, plain or gzipped` },
  { looks: /"resource_?[sS]pans"/, hint: 'the file is OTLP JSON: read it with --otlp' },
  { looks: /"traceEvents"/, hint: "the file is a browser's trace, whose events are no feedback" },
  {
    looks: /^\s*\{\s*"data"\s*:.*"traceID"/,
    hint: "the file is Jaeger's JSON; export OTLP JSON and read it with --otlp",
  },
  { looks: /^\s*\[.*"traceId"/, hint: "the file is Zipkin's JSON; export OTLP JSON and read it with --otlp" },
  { looks: /"type"\s*:\s*"(?:Metric|Point)"/, hint: 'the file is the JSON output of k6, which holds no stages' },
  { looks: /"attack"\s*:/, hint: 'the file is the JSON output of vegeta, which holds no stages' },
  { looks: /^\s*\[/, hint: `the file is a JSON array; ${oneALine}: jq -c '.[]' FILE` },
  {
    looks: /^\s*\{\s*("[^"]*"\s*:\s*[[{]?)?\s*$/,
    hint: `the file is indented JSON; ${oneALine}: jq -c . FILE, or --otlp for OTLP`,
  },
  {
    looks: /^[^{]*,[^{]*$/,
    hint: `the file seems to be CSV; ${oneALine}: {"total_ms": 412.5, "stages": {"asr": 170}}`,
  },
];
