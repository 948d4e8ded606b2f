import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProblemList, TraceLineReader } from '../../../src/budget/traces/lines.ts';
import { type TraceRecord, TraceTableBuilder } from '../../../src/budget/traces/table.ts';

describe('trace records', () => {
  it('carry totals, stages and labels', () => {
    const [record] = read(
      '{"at_ms":12,"session":"s1","profile":"4g","language":"en-GB","total_ms":10.5,"stages":{"asr":4},"more":[1]}',
    ).records;
    expect(record).toMatchObject({ totalMs: 10.5, stages: { asr: 4 }, atMs: 12, session: 's1', line: 1 });
    expect(record!.labels).toMatchObject({ profile: '4g', language: 'en-GB' });
  });

  it.each([
    ['a total of null never came', '{"total_ms":null,"stages":{"asr":4}}', Infinity],
    ['without a total the stages sum up', '{"stages":{"asr":4,"queue":1.5}}', 5.5],
    [
      'spans reach from the first start to the last end',
      '{"spans":[{"name":"asr","start_ms":5,"end_ms":9},{"name":"queue","start_ms":2,"end_ms":6}]}',
      7,
    ],
  ])('%s', (_name, line, totalMs) => expect(read(line).records[0]!.totalMs).toBe(totalMs));

  it('with spans count the critical path, and name stages that are not on it', () => {
    const line = '{"spans":[{"name":"asr","start_ms":0,"end_ms":9},{"name":"queue","start_ms":2,"end_ms":6}]}';
    expect(read(line).records[0]!.stages).toEqual({ asr: 9, queue: 0 });
  });

  it.each([
    ['{"total_ms":5,"stages":{"asr":-1}}', '1:25: stages.asr: -1 is not a duration in ms, 0 or more'],
    ['{"total_ms":NaN,"stages":{}}', '1:13: NaN is not JSON; a duration is a number, 0 or more'],
    ['{"total_ms":5,,"stages":{}}', '1:15: not JSON, from ",\\"stages\\":{}}" on'],
    ['{"total_ms":"5","stages":{}}', '1:2: total_ms: "5" is not a duration in ms'],
    ['{"total_ms":5}', '1:1: has no "stages", the durations in ms by stage, nor "spans"'],
    ['{"stages":[1]}', '1:2: stages: [1] is not an object of stage durations'],
    ['{"stages":{"asr":1},"at_ms":"noon"}', '1:21: at_ms: "noon" is not a time in ms'],
    ['{"session":"asr","stages":{"asr" :-1}}', '1:28: stages.asr: -1 is not a duration'],
    ['[1]', '1:1: [1] is not a trace record'],
    ['{"stages":{"asr":1},"session":7}', '1:21: session: 7 is not text'],
    ['{"stages":{"asr":1e999}}', '1:12: stages.asr: Infinity is not a duration'],
    ['{"spans":[]}', '1:2: spans: is not a list'],
    ['{"spans":[{"name":"a","start_ms":5,"end_ms":4}]}', '1:2: spans.0: "a" ends 1 ms before it starts'],
    ['{"stages":{"asr":1}}\n{"stages":{"as', '2:15: the file ends in the middle of a record: it is truncated'],
  ])('refuses %s', (text, problem) => {
    const { problems } = read(text);
    expect(problems).toHaveLength(1);
    expect(`${problems[0]!.where}: ${problems[0]!.message}`).toContain(`t.ndjson:${problem}`);
  });

  it('has every fault of a record', () => {
    const { problems } = read('{"at_ms":[],"total_ms":-2,"session":7,"stages":{"asr":-1,"b":1,"queue":null}}');
    expect(problems.map(({ where }) => where)).toEqual([49, 64, 13, 2, 27].map((column) => `t.ndjson:1:${column}`));
  });

  it.each([
    ['{"resourceSpans":[]}', /OTLP JSON: read it with --otlp/],
    ['[{"total_ms":5}]', /a JSON array; .*jq -c '.\[\]' FILE/],
    ['{', /indented JSON; .*jq -c \. FILE/],
    ['{"type":"Point","metric":"http_reqs"}', /output of k6/],
    ['{"attack":"","seq":0,"latency":4}', /output of vegeta/],
    ['{"data":[{"traceID":"a"}]}', /Jaeger's JSON/],
    ['[{"traceId":"a","id":"b"}]', /Zipkin's JSON/],
    ['{"traceEvents":[]}', /a browser's trace/],
    ['minute,users', /seems to be CSV/],
    ['PK\u0000\u0003', /binary/],
  ])('know what %s may be', (line, hint) => {
    const reader = new TraceLineReader('t.ndjson', () => undefined);
    reader.push(`\n${line}\n`);
    expect(reader.foreignHint()).toMatch(hint);
  });

  it('has every fault of a file, the first twenty in full', () => {
    const { problems } = read('{"stages":{"asr":-1}}\n'.repeat(25));
    expect(problems).toHaveLength(21);
    expect(problems[20]!.message).toBe('and 5 more like these');
  });

  it('refuses a file that is one endless line', () => {
    const reader = new TraceLineReader('t.ndjson', () => undefined);
    expect(() => reader.push(' '.repeat(16_000_001))).toThrow(/t.ndjson:1 is longer than 16000000 characters/);
  });

  it('are the same however the file is cut into pieces', () => {
    const text = '{"stages":{"asr":1}}\n\n{"stages":{"asr":2}}\r\n{"stages":{"é":3}}';
    const whole = read(text).records;
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 6 }), (cuts) => {
        const records: TraceRecord[] = [];
        const reader = new TraceLineReader('t.ndjson', (record) => records.push(record));
        let from = 0;
        for (const cut of [...cuts.sort((a, b) => a - b), text.length]) {
          reader.push(text.slice(from, cut));
          from = cut;
        }
        reader.end();
        expect(records).toEqual(whole);
      }),
    );
    expect(whole.map(({ line }) => line)).toEqual([1, 3, 4]);
  });

  it('remember where each stage first stood', () => {
    const reader = new TraceLineReader('t.ndjson', () => undefined);
    reader.push('{"stages":{"asr":1}}\n{"stages":{"asr":1,"queue":2}}\n');
    expect([...reader.stagePlaces]).toEqual([
      ['asr', 't.ndjson:1:12'],
      ['queue', 't.ndjson:2:20'],
    ]);
  });
});

describe('the table of traces', () => {
  it('has 0 where a trace does not name a stage, before and after', () => {
    const table = tableOf([{ asr: 1 }, { queue: 2 }, { asr: 3 }]);
    expect([...table.stages.get('asr')!.ms]).toEqual([1, 0, 3]);
    expect([...table.stages.get('queue')!.ms]).toEqual([0, 2, 0]);
    expect(table.stages.get('queue')!.firstLine).toBe(2);
  });

  it('grows past its first size without losing a trace', () => {
    const table = tableOf(Array.from({ length: 5000 }, (_, i) => ({ asr: i })));
    expect(table.n).toBe(5000);
    expect(table.stages.get('asr')!.ms[4999]).toBe(4999);
    expect(table.labels.profile.values).toEqual(['(none)']);
  });

  it('keeps a uniform sample of more traces than it may hold', () => {
    const kept = Array.from({ length: 40 }, (_, seed) => {
      const table = tableOf(
        Array.from({ length: 2000 }, (__, i) => ({ asr: i })),
        { limit: 200, seed },
      );
      expect([table.n, table.seen]).toEqual([200, 2000]);
      return [...table.stages.get('asr')!.ms];
    }).flat();
    const quarters = [0, 1, 2, 3].map((q) => kept.filter((i) => Math.floor(i / 500) === q).length / kept.length);
    for (const share of quarters) expect(Math.abs(share - 0.25)).toBeLessThan(0.02);
  });
});

function read(text: string) {
  const records: TraceRecord[] = [];
  const problems = new ProblemList();
  const reader = new TraceLineReader('t.ndjson', (record) => records.push(record), problems);
  reader.push(text);
  reader.end();
  return { records, problems: problems.all() };
}

function tableOf(rows: readonly Record<string, number>[], options = {}) {
  const builder = new TraceTableBuilder(options);
  rows.forEach((stages, i) => {
    builder.add({ totalMs: 1, stages, atMs: undefined, session: undefined, labels: {}, line: i + 1 });
  });
  return builder.finish();
}
