/**
 * What a file that holds no trace record seems to be, from its first line that is not empty, and what to do about it.
 * Undefined when nobody could tell.
 */
export function foreignHint(firstLine: string): string | undefined {
  return kinds.find(({ looks }) => looks.test(firstLine))?.hint;
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
