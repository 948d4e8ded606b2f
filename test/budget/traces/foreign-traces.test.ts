import { describe, expect, it } from 'vitest';
import { foreignDocument, foreignHint, isOtherSignal } from '../../../src/budget/traces/foreign-traces.ts';

const otlp = { resourceSpans: [] };
const zipkin = { traceId: 'a', id: 'b', timestamp: 1 };

describe('a JSON document that is no OTLP trace', () => {
  it.each<[unknown, string]>([
    [[otlp], "is an array of OTLP documents; they stand one a line: jq -c '.[]' FILE"],
    [[{ resource_spans: [] }], "is an array of OTLP documents; they stand one a line: jq -c '.[]' FILE"],
    [[zipkin], "is Zipkin's JSON, not OTLP; send it to a Collector (zipkin receiver, file exporter)"],
    ...[
      [],
      [{ ...zipkin, id: undefined }],
      [{ ...zipkin, traceId: undefined }],
      [{ ...zipkin, timestamp: undefined }],
      [null],
    ].map((document): [unknown, string] => [
      document,
      'is a JSON array, not an OTLP trace document: it has no list "resourceSpans"',
    ]),
    [{ batches: [] }, "is Tempo's JSON; its batches are resourceSpans: jq -c '{resourceSpans: .batches}' FILE"],
    [{ trace: otlp }, "is Tempo's JSON, the document within: jq -c .trace FILE"],
    [
      { traces: [] },
      "is a list of traces that a search found; fetch each of them as OTLP, such as Tempo's /api/v2/traces/ID",
    ],
    [{ data: [] }, "is Jaeger's JSON, not OTLP; Jaeger's /api/v3/traces/ID answers OTLP: jq -c .result FILE"],
    [{ spans: [] }, "is Jaeger's JSON, not OTLP; Jaeger's /api/v3/traces/ID answers OTLP: jq -c .result FILE"],
    [{ result: otlp }, "is Jaeger's answer, the document within: jq -c .result FILE"],
    ...[{}, { trace: [] }, { result: {} }, { data: 'x', batches: 7 }, zipkin, null, 'text', 7].map(
      (document): [unknown, string] => [document, 'is not an OTLP trace document: it has no list "resourceSpans"'],
    ),
  ])('%j', (document, told) => expect(foreignDocument(document)).toBe(told));

  it.each<[unknown, boolean]>([
    [{ resourceLogs: [] }, true],
    [{ resourceMetrics: [] }, true],
    [{ resourceProfiles: [] }, true],
    [{ resource_logs: [] }, true],
    [{ resourceLogs: {} }, false],
    [otlp, false],
    [[], false],
    [null, false],
  ])('%j is of another signal: %j', (document, is) => expect(isOtherSignal(document)).toBe(is));
});

describe('the first line of a file without trace records', () => {
  const lines = 'trace records stand one JSON object a line';
  const jaeger = "the file is Jaeger's JSON; export OTLP JSON and read it with --otlp";
  const zipkins = "the file is Zipkin's JSON; export OTLP JSON and read it with --otlp";
  const indented = `the file is indented JSON; ${lines}: jq -c . FILE, or --otlp for OTLP`;
  const array = `the file is a JSON array; ${lines}: jq -c '.[]' FILE`;
  const csv = `the file seems to be CSV; ${lines}: {"total_ms": 412.5, "stages": {"asr": 170}}`;
  it.each<[string, string | undefined]>([
    ['PK\u0000', `the file is binary; ${lines}, plain or gzipped`],
    ['\ufffd{', `the file is binary; ${lines}, plain or gzipped`],
    ['{"resourceSpans":[]}', 'the file is OTLP JSON: read it with --otlp'],
    ['{"resource_spans":[]}', 'the file is OTLP JSON: read it with --otlp'],
    ['{"resourcespans":[]}', 'the file is OTLP JSON: read it with --otlp'],
    ['{"traceEvents":[]}', "the file is a browser's trace, whose events are no feedback"],
    ['{"data":[{"traceID":"a"}]}', jaeger],
    [' { "data" : [{"traceID":"a"}]}', jaeger],
    ['{"data":[{"id":"a"}]}', undefined],
    ['{"x":{"data":[{"traceID":"a"}]}}', undefined],
    ['[{"traceId":"a"}]', zipkins],
    [' [ {"id":"b","traceId":"a"}]', zipkins],
    ['{"traceId":["a"]}', undefined],
    ['{"type":"Metric","data":{}}', 'the file is the JSON output of k6, which holds no stages'],
    ['{"type" : "Point"}', 'the file is the JSON output of k6, which holds no stages'],
    ['{"type":"Other"}', undefined],
    ['{"attack":"x"}', 'the file is the JSON output of vegeta, which holds no stages'],
    ['{"attack"  :"x"}', 'the file is the JSON output of vegeta, which holds no stages'],
    ['[{"total_ms":1}]', array],
    ['  [', array],
    ['x [', undefined],
    ['{', indented],
    [' { ', indented],
    ['{ "stages": {', indented],
    ['{"list" : [ ', indented],
    ['{"total_ms":', indented],
    ['{"total_ms": 5', undefined],
    ['x{', undefined],
    ['minute,users', csv],
    [',', csv],
    ['{,', undefined],
    ['a,b{', undefined],
    ['words', undefined],
    ['', undefined],
  ])('%j', (line, hint) => expect(foreignHint(line)).toBe(hint));
});
