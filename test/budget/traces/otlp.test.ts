import { describe, expect, it } from 'vitest';
import { ProblemList } from '../../../src/budget/traces/lines.ts';
import { OtlpReader } from '../../../src/budget/traces/otlp.ts';
import type { TraceRecord } from '../../../src/budget/traces/table.ts';

const root = span('r', undefined, 'feedback', 0, 10);

describe('OTLP traces', () => {
  it('become records: the root is the total, the critical path splits it', () => {
    const { records, overlapMs } = read(document([root, span('a', 'r', 'queue', 0, 4), span('b', 'r', 'asr', 3, 9)]));
    expect(records).toEqual([expect.objectContaining({ stages: { queue: 3, asr: 6 }, session: 't1', line: 1 })]);
    expect(records[0]!.totalMs).toBeCloseTo(10, 9);
    expect(overlapMs).toBeCloseTo(1, 9);
  });

  it('name stages by attribute, and labels by attributes of spans or resources', () => {
    const marked = span('a', 'r', 'POST /infer', 0, 5, {
      'speechfb.stage': 'asr',
      'speechfb.session': 's-7',
      device: 'pixel',
    });
    const { records } = read(document([root, marked], { 'speechfb.profile': '4g' }));
    expect(records[0]).toMatchObject({
      stages: { asr: 5 },
      session: 's-7',
      labels: { profile: '4g', device: 'pixel' },
    });
  });

  it('may be spread over documents', () => {
    const { records } = read(document([root]), document([span('a', 'r', 'asr', 2, 5)]));
    expect(records).toHaveLength(1);
    expect(records[0]!.stages.asr).toBeCloseTo(3, 9);
  });

  it('leave the time of unknown spans to no stage, and say whose it is', () => {
    const { records, unclaimed } = read(document([root, span('a', 'r', 'mystery', 0, 7)]));
    expect(records[0]!.stages).toEqual({});
    expect(unclaimed.map(([name, ms]) => [name, Math.round(ms)])).toEqual([
      ['mystery', 7],
      ['feedback', 3],
    ]);
  });

  it('may name their fields as the .proto does, and their scopes as old collectors did', () => {
    const given = document([root, span('a', 'r', 'asr', 2, 5, { 'speechfb.session': 's-1' })]);
    const snake = JSON.stringify(given).replace(
      /"([a-z]+[A-Z]\w*)":/g,
      (_, key: string) => `"${key.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)}":`,
    );
    const old = JSON.stringify(given).replace('scopeSpans', 'instrumentationLibrarySpans');
    expect(snake).toContain('"start_time_unix_nano"');
    for (const text of [snake, old]) expect(read(JSON.parse(text)).records).toEqual(read(given).records);
  });

  it('are one trace whatever case their ids are written in', () => {
    const spans = [span('DEF0A1', undefined, 'feedback', 0, 10), span('def0a2', 'def0a1', 'asr', 2, 9)];
    const mixed = spans.map((one, i) => ({ ...one, traceId: i === 0 ? '0ABC' : '0abc' }));
    expect(read(document(mixed)).records).toEqual([expect.objectContaining({ session: '0abc', stages: { asr: 7 } })]);
  });

  it('keep the case of ids that are no hexadecimal digits', () => {
    const [first, second] = ['AbQ=', 'aBQ='].map((traceId) => ({ ...root, traceId }));
    expect(read(document([first!, second!])).records).toHaveLength(2);
  });

  it('take a parent of zeros as none', () => {
    const zeros = { ...root, parentSpanId: '0000000000000000' };
    expect(read(document([zeros, span('a', 'r', 'asr', 1, 4)])).records[0]).toMatchObject({ stages: { asr: 3 } });
  });

  it('move what differing clocks put outside its parent into it, and say by how much', () => {
    const late = [root, span('a', 'r', 'queue', 0, 3), span('b', 'r', 'asr', 5003, 5010)];
    const { records, notes } = read(document(late));
    expect(records[0]).toMatchObject({ totalMs: 10, stages: { queue: 3, asr: 7 } });
    expect(notes).toEqual([
      expect.stringContaining('in 1 of 1 traces a stage lies outside its parent ("asr" by up to 5 s)'),
    ]);
  });

  it('pass over documents of other signals, and say so', () => {
    const { records, problems, notes } = read({ resourceLogs: [] }, document([root]), { resource_metrics: [] });
    expect(records).toHaveLength(1);
    expect(problems).toEqual([]);
    expect(notes).toEqual(['2 documents of logs, metrics or profiles were passed over']);
  });

  it('pass over one document of another signal', () =>
    expect(read({ resourceProfiles: [] }, document([root])).notes).toEqual([
      'a document of logs, metrics or profiles was passed over',
    ]));

  it('of other signals need no word where there are none', () => expect(read(document([root])).notes).toEqual([]));

  it('are told of a trace at a time: overlaps and unknown time are means', () => {
    const other = [root, span('a', 'r', 'queue', 0, 10), span('b', 'r', 'x', 0, 4), span('c', 'r', 'asr', 2, 6)];
    const { records, overlapMs, unclaimed } = read(
      document([root, span('b', 'r', 'x', 1, 3), span('c', 'r', 'y', 4, 9)]),
      document(other.map((one) => ({ ...one, traceId: 't2' }))),
    );
    expect(records.map(({ session }) => session)).toEqual(['t1', 't2']);
    expect(overlapMs).toBeCloseTo(2, 6);
    expect(unclaimed.map(([name, ms]) => [name, Math.round(ms * 2)])).toEqual([
      ['y', 5],
      ['feedback', 3],
      ['x', 2],
    ]);
  });

  it('of no trace have means of 0', () =>
    expect(read({ resourceSpans: [] })).toEqual({ records: [], overlapMs: 0, unclaimed: [], notes: [], problems: [] }));

  it('begin where their first span does, and stand where their first document does', () => {
    const { records } = read(document([span('a', 'x', 'asr', 3, 5)]), document([span('b', 'x', 'queue', 1, 2)]));
    expect(records).toMatchObject([{ atMs: 1_700_000_000_001, line: 1, totalMs: 4, session: 't1' }]);
  });

  it('have the labels of a span before those of its resource, and of a later span before an earlier', () => {
    const [first, second] = ['a', 'b'].map((profile, i) => span(profile, undefined, 'asr', i, 5, { profile }));
    expect(read(document([first!, second!], { profile: 'of all', device: 'd' })).records[0]!.labels).toMatchObject({
      profile: 'b',
      device: 'd',
    });
    const rest = document([span('c', undefined, 'asr', 0, 5)], { profile: 'late', device: 'late', language: 'en' });
    expect(read(document([first!]), rest).records[0]!.labels).toMatchObject({
      profile: 'a',
      device: 'late',
      language: 'en',
    });
  });

  it.each([
    ['no groups of spans', { resourceSpans: [{}, null, 7] }],
    ['no spans', { resourceSpans: [{ scopeSpans: [{}, null] }] }],
  ])('may have %s', (_name, given) => expect(read(given)).toMatchObject({ records: [], problems: [] }));

  it('of spans that are none are refused where they stand', () => {
    const given = {
      resourceSpans: [
        { scopeSpans: [] },
        { scopeSpans: [{ spans: [] }, { spans: [root, { ...root, traceId: 7 }, { ...root, spanId: 7 }, null] }] },
      ],
    };
    expect(read(given).problems.map(({ where, message }) => `${where}: ${message}`)).toEqual([
      'at r: resourceSpans[1].scopeSpans[1].spans[1] "feedback" has no traceId and spanId',
      'begin: resourceSpans[1].scopeSpans[1].spans[2] "feedback" has no traceId and spanId',
      'begin: resourceSpans[1].scopeSpans[1].spans[3] "" has no traceId and spanId',
    ]);
  });

  const one = 'resourceSpans[0].scopeSpans[0].spans[0]';
  it.each<[object, string]>([
    [{ traceId: ' 000 ' }, 'has an empty traceId: of which trace it is nobody can tell'],
    [{ spanId: '' }, 'has an empty spanId'],
    ...['0', 0, '', null, undefined].map((endTimeUnixNano): [object, string] => [
      { endTimeUnixNano },
      'is unfinished: it has no endTimeUnixNano; leave out traces whose spans have not ended',
    ]),
    [{ endTimeUnixNano: 'soon' }, 'has no startTimeUnixNano and endTimeUnixNano in nanoseconds'],
    [{ startTimeUnixNano: 'soon' }, 'has no startTimeUnixNano and endTimeUnixNano in nanoseconds'],
    [
      { startTimeUnixNano: undefined, endTimeUnixNano: 0 },
      'has no startTimeUnixNano and endTimeUnixNano in nanoseconds',
    ],
    [{ startTimeUnixNano: '0' }, 'has a startTimeUnixNano of 0: nobody set it'],
    [{ startTimeUnixNano: 3_500_000, endTimeUnixNano: 2_250_000 }, 'ends 1.25 ms before it starts'],
  ])('refuse a span with %j: %s', (given, fault) => {
    const { records, problems } = read(document([{ ...root, ...given }]));
    expect(problems.map(({ message }) => message)).toEqual([`${one} "feedback" ${fault}`]);
    expect(records).toEqual([]);
  });

  it('may have spans of no time and without a name', () => {
    const short = { ...root, name: undefined, endTimeUnixNano: root.startTimeUnixNano };
    expect(read(document([short]))).toMatchObject({ records: [{ totalMs: 0, stages: {} }], problems: [] });
  });

  it.each([
    [{}, 'begin: is not an OTLP trace document: it has no list "resourceSpans"'],
    [[document([])], "is an array of OTLP documents; they stand one a line: jq -c '.[]' FILE"],
    [{ data: [{ traceID: 'a', spans: [] }] }, "is Jaeger's JSON, not OTLP"],
    [{ result: document([]) }, "is Jaeger's answer, the document within: jq -c .result FILE"],
    [{ batches: [] }, "is Tempo's JSON; its batches are resourceSpans: jq -c '{resourceSpans: .batches}' FILE"],
    [{ trace: document([]) }, "is Tempo's JSON, the document within: jq -c .trace FILE"],
    [{ traces: [] }, 'is a list of traces that a search found'],
    [[{ traceId: 'a', id: 'b', timestamp: 1 }], "is Zipkin's JSON, not OTLP"],
    [document([{ ...root, traceId: '' }]), 'has an empty traceId'],
    [document([{ ...root, spanId: '0000000000000000' }]), 'has an empty spanId'],
    [document([{ ...root, endTimeUnixNano: '0' }]), '"feedback" is unfinished: it has no endTimeUnixNano'],
    [document([{ ...root, endTimeUnixNano: undefined }]), '"feedback" is unfinished'],
    [document([{ ...root, startTimeUnixNano: 0 }]), 'has a startTimeUnixNano of 0: nobody set it'],
    [document([{ spanId: 'x' }]), 'at x: resourceSpans[0].scopeSpans[0].spans[0] "" has no traceId and spanId'],
    [
      document([{ ...root, endTimeUnixNano: 'soon' }]),
      'at r: resourceSpans[0].scopeSpans[0].spans[0] "feedback" has no startTimeUnixNano and endTimeUnixNano in nanoseconds',
    ],
    [document([span('x', undefined, 'asr', 5, 1)]), 'spans[0] "asr" ends 4 ms before it starts'],
  ])('refuse %j', (given, problem) => {
    const [first] = read(given).problems;
    expect(`${first!.where}: ${first!.message}`).toContain(problem);
  });
});

function read(...documents: object[]) {
  const problems = new ProblemList();
  const reader = new OtlpReader(['queue', 'asr'], problems);
  for (const each of documents) reader.add(each, 1, (quoted) => (quoted === undefined ? 'begin' : `at ${quoted}`));
  const records: TraceRecord[] = [];
  const summary = reader.finish((record) => records.push(record));
  return { records, ...summary, problems: problems.all() };
}

function document(spans: object[], resource: Record<string, string> = {}): object {
  return { resourceSpans: [{ resource: { attributes: attributes(resource) }, scopeSpans: [{ spans }] }] };
}

function span(
  id: string,
  parent: string | undefined,
  name: string,
  start: number,
  end: number,
  given: Record<string, string> = {},
) {
  const nanos = (ms: number) => String(1_700_000_000_000_000_000n + BigInt(ms) * 1_000_000n);
  return {
    traceId: 't1',
    spanId: id,
    parentSpanId: parent ?? '',
    name,
    startTimeUnixNano: nanos(start),
    endTimeUnixNano: nanos(end),
    attributes: attributes(given),
  };
}

function attributes(given: Record<string, string>): object[] {
  return Object.entries(given).map(([key, value]) => ({ key, value: { stringValue: value } }));
}
