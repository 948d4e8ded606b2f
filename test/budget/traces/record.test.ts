import { describe, expect, it } from 'vitest';
import { SkewTally } from '../../../src/budget/traces/clock-skew.ts';
import { faultsOf, isRecord, type RawRecord, recordOf } from '../../../src/budget/traces/record.ts';

const stages = { asr: 1 };
const span = { name: 'asr', start_ms: 5, end_ms: 9 };

describe('a line’s value', () => {
  it.each<[unknown, ...[string, string][]]>([
    [{ stages }],
    [{ stages: {} }],
    [{ stages: { asr: 0 } }],
    [{ stages, total_ms: null, at_ms: null, session: null, profile: null, language: null, device: null }],
    [{ stages, total_ms: 0, at_ms: -5, session: '', profile: 'a', language: 'b', device: 'c' }],
    [{ stages, total_ms: -1 }, ['total_ms', 'total_ms: -1 is not a duration in ms, 0 or more; null is "never came"']],
    [
      { stages, total_ms: Number.POSITIVE_INFINITY },
      ['total_ms', 'total_ms: Infinity is not a duration in ms, 0 or more; null is "never came"'],
    ],
    [{ stages, total_ms: '5' }, ['total_ms', 'total_ms: "5" is not a duration in ms, 0 or more; null is "never came"']],
    [{ stages, at_ms: 'noon' }, ['at_ms', 'at_ms: "noon" is not a time in ms']],
    [{ stages, at_ms: Number.POSITIVE_INFINITY }, ['at_ms', 'at_ms: Infinity is not a time in ms']],
    [{ stages, session: 7 }, ['session', 'session: 7 is not text']],
    [{ stages, profile: {} }, ['profile', 'profile: {} is not text']],
    [{ stages, language: false }, ['language', 'language: false is not text']],
    [{ stages, device: [1] }, ['device', 'device: [1] is not text']],
    [
      { stages: { asr: -1, queue: null, b: 1, c: '5' } },
      ['asr', 'stages.asr: -1 is not a duration in ms, 0 or more'],
      ['queue', 'stages.queue: null is not a duration in ms, 0 or more'],
      ['c', 'stages.c: "5" is not a duration in ms, 0 or more'],
    ],
    [
      { stages: { asr: 'x'.repeat(39) } },
      ['asr', `stages.asr: "${'x'.repeat(36)}... is not a duration in ms, 0 or more`],
    ],
    [
      { stages: { asr: 'x'.repeat(38) } },
      ['asr', `stages.asr: "${'x'.repeat(38)}" is not a duration in ms, 0 or more`],
    ],
    [{ stages: [1] }, ['stages', 'stages: [1] is not an object of stage durations in ms']],
    [{ stages: null }, ['stages', 'stages: null is not an object of stage durations in ms']],
    [{ stages: 7 }, ['stages', 'stages: 7 is not an object of stage durations in ms']],
    [{}, ['', 'has no "stages", the durations in ms by stage, nor "spans"']],
    [null, ['', 'null is not a trace record; write {"total_ms": 412.5, "stages": {"asr": 170}}']],
    [[stages], ['', '[{"asr":1}] is not a trace record; write {"total_ms": 412.5, "stages": {"asr": 170}}']],
    ['asr', ['', '"asr" is not a trace record; write {"total_ms": 412.5, "stages": {"asr": 170}}']],
    [7, ['', '7 is not a trace record; write {"total_ms": 412.5, "stages": {"asr": 170}}']],
    [{ spans: [] }, ['spans', 'spans: is not a list of {"name", "start_ms", "end_ms"}']],
    [{ spans: {} }, ['spans', 'spans: is not a list of {"name", "start_ms", "end_ms"}']],
    [{ spans: [span, { ...span, name: 7 }] }, ['spans', 'spans.1.name: is not text']],
    [{ spans: [null] }, ['spans', 'spans.0.name: is not text']],
    [{ spans: [{ ...span, start_ms: undefined }] }, ['spans', 'spans.0: has no start_ms and end_ms']],
    [{ spans: [{ ...span, end_ms: '9' }] }, ['spans', 'spans.0: has no start_ms and end_ms']],
    [{ spans: [{ ...span, end_ms: 4.5 }] }, ['spans', 'spans.0: "asr" ends 0.5 ms before it starts']],
  ])('%j', (value, ...faults) => {
    expect(faultsOf(value)).toEqual(faults.map(([key, message]) => ({ key, message })));
    expect(isRecord(value)).toBe(faults.length === 0);
  });

  it.each([[{ spans: [span] }], [{ spans: [{ ...span, end_ms: 5 }] }], [{ stages, spans: [] }]])(
    '%j has no fault, and is looked at more closely',
    (value) => {
      expect(faultsOf(value)).toEqual([]);
      expect(isRecord(value)).toBe(false);
    },
  );
});

describe('a record', () => {
  const read = (raw: RawRecord) => recordOf(raw, 3, new SkewTally());

  it.each<[string, RawRecord, number, object]>([
    ['the sum of its stages', { stages: { asr: 4, queue: 1.5 } }, 5.5, { asr: 4, queue: 1.5 }],
    ['of no stages', { stages: {} }, 0, {}],
    ['its own total', { stages: { asr: 4 }, total_ms: 0 }, 0, { asr: 4 }],
    ['never came', { stages: { asr: 4 }, total_ms: null }, Infinity, { asr: 4 }],
    [
      'from the first start to the last end',
      { spans: [span, { name: 'queue', start_ms: 2, end_ms: 6 }] },
      7,
      { asr: 4, queue: 3 },
    ],
    ['its own total beside spans', { spans: [span], total_ms: 20 }, 20, { asr: 4 }],
    ['stages before spans', { stages: { asr: 1 }, spans: [span] }, 1, { asr: 1 }],
  ])('has a total: %s', (_name, raw, totalMs, found) => {
    const record = read(raw);
    expect([record.totalMs, record.stages]).toEqual([totalMs, found]);
  });

  it('keeps time, session, labels and line', () => {
    const raw = { stages, at_ms: 12, session: 's', profile: '4g' };
    expect(read(raw)).toEqual({ totalMs: 1, stages, atMs: 12, session: 's', labels: raw, line: 3 });
    expect(read({ stages, at_ms: null }).atMs).toBeUndefined();
  });

  it('with spans outside their parents is told of', () => {
    const skew = new SkewTally();
    const spans = [
      { id: 'r', name: 'queue', start_ms: 0, end_ms: 10 },
      { parent: 'r', name: 'asr', start_ms: 1000, end_ms: 1004 },
    ];
    expect(recordOf({ spans }, 1, skew)).toMatchObject({ totalMs: 10, stages: { queue: 6, asr: 4 } });
    expect(recordOf({ stages }, 2, skew)).toMatchObject({ totalMs: 1 });
    expect(skew.notes(2)).toEqual([
      'in 1 of 2 traces a stage lies outside its parent ("asr" by up to 994 ms): clocks differ, or it runs on in the background; it was moved into its parent',
    ]);
  });
});
