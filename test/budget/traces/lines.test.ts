import { describe, expect, it } from 'vitest';
import { ProblemList, TraceLineReader } from '../../../src/budget/traces/lines.ts';
import type { TraceRecord } from '../../../src/budget/traces/table.ts';

describe('the lines of a trace file', () => {
  it('are counted, those that are empty too', () => {
    const { reader, records } = read(['{"stages":{"a":1}}\n \n', '\n{"stages":{"a":', '2}}\n{"stages":{"a":3}}']);
    expect(records.map(({ line, totalMs }) => [line, totalMs])).toEqual([
      [1, 1],
      [4, 2],
      [5, 3],
    ]);
    expect(reader.line).toBe(5);
    expect(read(['{"stages":{}}\n', '  \n ']).reader.line).toBe(2);
    expect(read(['']).reader.line).toBe(0);
  });

  it.each([
    ['\n{"stages"', ':{"a":NaN}}\n', '2:16: NaN is not JSON; a duration is a number, 0 or more'],
    ['', '{"stages":{"a":nan}}', '1:16: nan is not JSON; a duration is a number, 0 or more'],
    ['', '{"stages":{"a":-Infinity}}', '1:17: Infinity is not JSON; a duration is a number, 0 or more'],
    ['', '{"stages":{"a":inf}}', '1:16: inf is not JSON; a duration is a number, 0 or more'],
    ['', '{"stages":{"a":undefined}}', '1:16: undefined is not JSON; a duration is a number, 0 or more'],
    ['', '{"stages":{"a":None}}\n', '1:16: None is not JSON; a duration is a number, 0 or more'],
    ['', '{"stages":{"a":1', '1:17: the file ends in the middle of a record: it is truncated'],
    ['', '{"stages":{"NaN":1', '1:19: the file ends in the middle of a record: it is truncated'],
    ['', '{"stages":{"a":1  ', '1:19: the file ends in the middle of a record: it is truncated'],
    ['{"stages":{}}\n{"sta', 'ges"\n', '2:10: not JSON, it ends too early'],
    ['', 'asr', '1:1: not JSON, from "asr" on'],
  ])('%j then %j: %s', (first, second, problem) => {
    const { problems } = read([first, second]);
    expect(problems.count).toBe(1);
    expect(`${problems.first[0]!.where}: ${problems.first[0]!.message}`.slice(0, `t:${problem}`.length)).toBe(
      `t:${problem}`,
    );
  });

  it('with a fault are no records, and their stages have no place', () => {
    const { records, reader } = read(['{"stages":{"a":1,"b":-1}}\n{"stages":{"c" : 1}}\n']);
    expect(records).toHaveLength(1);
    expect([...reader.stagePlaces]).toEqual([['c', 't:2:12']]);
  });

  it.each([
    ['{"stages":{"session":1},"session":"session"}', 'session', 12],
    ['{"session":"a","stages":{"a" \t: 1}}', 'a', 26],
    ['{"stages":{"a\\"b":1}}', 'a"b', 12],
    ['{"stages":{"\\u0061":1}}', 'a', 1],
    ['{"device":"","stages":{"":1}}', '', 1],
  ])('%s: %j stands in column %i', (line, stage, column) =>
    expect([...read([line]).reader.stagePlaces]).toEqual([[stage, `t:1:${column}`]]),
  );

  it('without a total are told of, after those that had to be moved', () => {
    const moved =
      '{"total_ms":9,"spans":[{"id":"r","name":"a","start_ms":0,"end_ms":9},{"parent":"r","name":"b","start_ms":20,"end_ms":22}]}';
    const note =
      'in 1 of 3 traces a stage lies outside its parent ("b" by up to 13 ms): clocks differ, or it runs on in the background; it was moved into its parent';
    const total = '{"total_ms":null,"stages":{}}';
    expect(read([`${moved}\n{"stages":{}}\n{"stages":{"a":2}}`]).reader.notes()).toEqual([
      note,
      '2 traces have no total_ms: their total is the sum of their stages',
    ]);
    expect(read([`${moved}\n${total}\n${total}`]).reader.notes()).toEqual([note]);
    expect(read([total]).reader.notes()).toEqual([]);
  });

  it('seem to be something else by the first that is not empty', () => {
    expect(read(['\n  \n[1]\n{"resourceSpans":[]}']).reader.foreignHint()).toBe(
      "the file is a JSON array; trace records stand one JSON object a line: jq -c '.[]' FILE",
    );
    expect(read(['{"stages":{"a":1}}\n[1]']).reader.foreignHint()).toBeUndefined();
    expect(read(['']).reader.foreignHint()).toBeUndefined();
  });

  it.each([
    ['[', "the file is a JSON array; trace records stand one JSON object a line: jq -c '.[]' FILE"],
    ['x', 'trace records stand one JSON object a line'],
  ])('may not be longer than anybody writes; begun by %s', (begin, hint) => {
    const reader = new TraceLineReader('t', () => undefined);
    reader.push(`{"stages":{}}\n${begin}${' '.repeat(15_999_999)}`);
    let refused: unknown;
    try {
      reader.push(' ');
    } catch (error) {
      refused = error;
    }
    expect(refused).toMatchObject({ code: 'bad_traces', message: 't:2 is longer than 16000000 characters', hint });
  });
});

describe('the problems of a file', () => {
  const listOf = (count: number) => {
    const list = new ProblemList();
    for (let i = 1; i <= count; i++) list.add({ where: `t:${i}`, message: 'x' });
    return list;
  };

  it.each([
    [0, undefined, 0, undefined],
    [20, undefined, 20, undefined],
    [21, undefined, 20, 'and 1 more like these'],
    [5, 5, 5, undefined],
    [5, 3, 3, 'and 2 more like these'],
    [30, 3, 3, 'and 27 more like these'],
  ])('of %i, at most %s, are the first %i: %s', (count, most, kept, more) => {
    const all = listOf(count).all(most);
    const shown = Array.from({ length: kept }, (_, i) => ({ where: `t:${i + 1}`, message: 'x' }));
    expect(all).toEqual(more === undefined ? shown : [...shown, { message: more }]);
  });
});

function read(pieces: readonly string[]) {
  const records: TraceRecord[] = [];
  const problems = new ProblemList();
  const reader = new TraceLineReader('t', (record) => records.push(record), problems);
  for (const piece of pieces) reader.push(piece);
  reader.end();
  return { reader, records, problems };
}
