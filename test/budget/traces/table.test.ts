import { describe, expect, it } from 'vitest';
import { type TraceRecord, TraceTableBuilder } from '../../../src/budget/traces/table.ts';

describe('a table of traces', () => {
  it('has a column of everything that a record says', () => {
    const builder = new TraceTableBuilder();
    builder.add(record(1, { atMs: 7, session: 's', labels: { profile: '4g', device: null }, stages: { asr: 3 } }));
    builder.add(record(2, { totalMs: Infinity, labels: { profile: 'wifi', language: 'en' }, stages: { queue: 4 } }));
    builder.add(record(4, { labels: { profile: '4g', device: 'pixel' }, stages: { asr: 5 } }));
    expect([builder.seen, builder.never]).toEqual([3, 1]);
    const table = builder.finish();
    expect([table.n, table.seen]).toEqual([3, 3]);
    expect([...table.totals]).toEqual([1, Infinity, 1]);
    expect([...table.atMs]).toEqual([7, Number.NaN, Number.NaN]);
    expect([...table.lines]).toEqual([1, 2, 4]);
    expect(table.sessions).toEqual(['s', undefined, undefined]);
    expect([...table.stages].map(([name, { ms, firstLine }]) => [name, [...ms], firstLine])).toEqual([
      ['asr', [3, 0, 5], 1],
      ['queue', [0, 4, 0], 2],
    ]);
    const labels = Object.entries(table.labels).map(([name, { codes, values }]) => [name, [...codes], values]);
    expect(labels).toEqual([
      ['profile', [0, 1, 0], ['4g', 'wifi']],
      ['language', [0, 1, 0], ['(none)', 'en']],
      ['device', [0, 0, 1], ['(none)', 'pixel']],
    ]);
  });

  it.each([1023, 1024, 1025, 2048, 2049, 3000])('of %i traces has each where it was put', (count) => {
    const builder = new TraceTableBuilder();
    for (let i = 0; i < count; i++) {
      const labels = { profile: `p${i % 7}`, language: `l${i % 5}`, device: `d${i % 3}` };
      builder.add(record(i, { totalMs: 2 * i, atMs: 3 * i, session: `s${i}`, labels, stages: { asr: 5 * i } }));
    }
    const table = builder.finish();
    const at = (column: ArrayLike<number>) => Array.from(column);
    const counted = (factor: number) => Array.from({ length: count }, (_, i) => factor * i);
    expect(at(table.lines)).toEqual(counted(1));
    expect(at(table.totals)).toEqual(counted(2));
    expect(at(table.atMs)).toEqual(counted(3));
    expect(at(table.stages.get('asr')!.ms)).toEqual(counted(5));
    expect(table.sessions).toHaveLength(count);
    expect(at(table.labels.profile.codes)).toEqual(counted(1).map((i) => i % 7));
    expect(at(table.labels.language.codes)).toEqual(counted(1).map((i) => i % 5));
    expect(at(table.labels.device.codes)).toEqual(counted(1).map((i) => i % 3));
  });

  it('that may hold fewer than its first size keeps a sample, each trace with what is its own', () => {
    const sampled = (seed: number | undefined) => {
      const builder = new TraceTableBuilder({ limit: 50, ...(seed === undefined ? {} : { seed }) });
      for (let i = 0; i < 400; i++)
        builder.add(record(i, { totalMs: i, stages: i % 2 === 0 ? { even: i } : { odd: i } }));
      return builder.finish();
    };
    const table = sampled(undefined);
    expect([table.n, table.seen, table.totals.length, table.labels.device.codes.length]).toEqual([50, 400, 50, 50]);
    table.totals.forEach((ms, i) => {
      expect(table.lines[i]).toBe(ms);
      expect(table.stages.get('even')!.ms[i]).toBe(ms % 2 === 0 ? ms : 0);
      expect(table.stages.get('odd')!.ms[i]).toBe(ms % 2 === 0 ? 0 : ms);
    });
    expect(sampled(1)).toEqual(table);
    expect(sampled(2).totals).not.toEqual(table.totals);
  });
});

function record(line: number, given: Partial<TraceRecord>): TraceRecord {
  return { totalMs: 1, stages: {}, atMs: undefined, session: undefined, labels: {}, line, ...given };
}
