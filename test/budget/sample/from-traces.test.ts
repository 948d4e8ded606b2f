import { describe, expect, it } from 'vitest';
import { budgetOf, latencyBudget } from '../../../src/budget/file/schema.ts';
import { budgetSample } from '../../../src/budget/sample/from-traces.ts';
import { TraceTableBuilder } from '../../../src/budget/traces/table.ts';

const places = { ofTraceStage: (name: string) => `t:${name}`, ofBudgetStage: (index: number) => `b:${index}` };

describe('names that only the traces or only the budget know', () => {
  it.each<[string, Record<string, string[]>, string[], string[], string[]]>([
    ['all are known', { a: ['uplink', 'downlink'] }, ['late'], [], []],
    [
      'the traces have one more',
      { a: ['uplink', 'downlnk'] },
      ['late'],
      [
        't:downlink stages.downlink: no stage of the budget counts it (did you mean "downlnk"?); add it to a stage\'s "of" or to "unattributed"',
      ],
      ['"a": no trace has downlnk; it counts as 0'],
    ],
    [
      'the budget has more',
      { a: ['uplink', 'x', 'y'], b: ['downlink'], c: ['qqq', 'zzz'] },
      ['late'],
      ['b:2 stages.2: "c" sums qqq + zzz, which no trace has; the traces have uplink, downlink, late, unattributed'],
      ['"a": no trace has x, y; it counts as 0'],
    ],
    [
      'a name is close',
      { a: ['uplink', 'downlink'], b: ['uplnk'] },
      ['late'],
      [
        'b:1 stages.1: "b" sums uplnk, which no trace has (did you mean "uplink"?); the traces have uplink, downlink, late, unattributed',
      ],
      [],
    ],
  ])('%s', (_name, stages, unattributed, problems, notes) => {
    const traced = { uplink: 1, downlink: 2, late: 4, unattributed: 8 };
    const found = budgetSample(tableOf([[20, traced]]), budgetWith(stages, unattributed), places);
    expect([...found.unclaimed, ...found.absent].map(({ where, message }) => `${where} ${message}`)).toEqual(problems);
    expect(found.notes).toEqual(notes);
  });

  it('traces without a stage have no stages', () =>
    expect(budgetSample(tableOf([[20, {}]]), budgetWith({ a: ['x'] }), places).absent).toEqual([
      { where: 'b:0', message: 'stages.0: "a" sums x, which no trace has; the traces have no stages' },
    ]));

  it('the window is unattributed where no stage counts it', () => {
    const table = tableOf([[20, { x: 5, window: 7 }]]);
    const { notes, unclaimed } = budgetSample(table, budgetWith({ a: ['x'] }), places);
    expect(unclaimed).toEqual([]);
    expect(notes).toEqual([
      'no stage of the budget counts "window": its time is unattributed; add it to the "of" of the stage that answers for it',
    ]);
    expect(budgetSample(table, budgetWith({ a: ['x', 'window'] }), places).notes).toEqual([]);
    expect(budgetSample(table, budgetWith({ a: ['x'] }, ['window']), places).notes).toEqual([]);
    // Nor is it missed in traces of before it was a stage.
    const older = tableOf([[20, { x: 5 }]]);
    expect(budgetSample(older, budgetWith({ a: ['x', 'window'] }), places).notes).toEqual([]);
    expect(budgetSample(older, budgetWith({ a: ['x', 'window', 'y'] }), places).notes).toEqual([
      '"a": no trace has y; it counts as 0',
    ]);
  });
});

it('a sample has the stages’ sums, and what is left of the total beyond rounding', () => {
  const table = tableOf([
    [0.1 + 0.2, { x: 0.1, y: 0.2 }],
    [0.3, { x: 0.1, y: 0.2 }],
    [10, { x: 3, y: 4, z: 2 }],
    [5, { x: 8 }],
    [1e-8, {}],
    [Infinity, { x: 1 }],
  ]);
  const { sample } = budgetSample(table, budgetWith({ a: ['x', 'y'], b: ['z'] }), places);
  expect(sample.n).toBe(6);
  expect(sample.stages.map(({ name, ms }) => [name, [...ms]])).toEqual([
    ['a', [0.1 + 0.2, 0.1 + 0.2, 7, 8, 0, 1]],
    ['b', [0, 0, 2, 0, 0, 0]],
  ]);
  expect([...sample.unattributed]).toEqual([0, 0, 1, -3, 1e-8, 0]);
  expect([...sample.totals]).toEqual([0.1 + 0.2, 0.3, 10, 5, 1e-8, Infinity]);
  expect(sample.totals).not.toBe(table.totals);
  expect(sample.clusters).toEqual({ codes: Uint32Array.of(0, 1, 0, 1, 0, 1), count: 2 });
});

function budgetWith(stages: Record<string, string[]>, unattributed: string[] = []) {
  const all = Object.entries(stages).map(([name, of]) => ({ name, budget: '0ms', of }));
  const spec = { objective: { percentile: 95, value: '0ms' }, stages: all, unattributed };
  return budgetOf(latencyBudget.parse({ kind: 'LatencyBudget', spec }));
}

function tableOf(rows: readonly [number, Record<string, number>][]) {
  const builder = new TraceTableBuilder();
  rows.forEach(([totalMs, stages], i) => {
    builder.add({ totalMs, stages, atMs: undefined, session: `s${i % 2}`, labels: {}, line: i + 1 });
  });
  return builder.finish();
}
