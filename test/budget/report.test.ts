import { describe, expect, it } from 'vitest';
import type { Analysis } from '../../src/budget/analyse.ts';
import { analyse, analyseArithmetic } from '../../src/budget/analyse.ts';
import { exemplarsNear } from '../../src/budget/exemplars.ts';
import { budgetOf, latencyBudget } from '../../src/budget/file/schema.ts';
import { leversFor, togetherLever } from '../../src/budget/levers.ts';
import { groupNotes, reportNotes, traceSessionNotes } from '../../src/budget/report.ts';
import { sampleOf } from '../../src/budget/sample/sample.ts';
import { mostGroups, splitBy } from '../../src/budget/split.ts';
import { TraceTableBuilder } from '../../src/budget/traces/table.ts';
import { answerWhatIf } from '../../src/budget/what-if.ts';

const twoStages = sampleOf([
  { name: 'a', ms: Float64Array.of(10, 20, 30, 40) },
  { name: 'b', ms: Float64Array.of(1, 2, 3, 4) },
]);

describe('what a reader must know', () => {
  const budgetAt = (percentile: number, more: object = {}) =>
    budgetOf(
      latencyBudget.parse({
        kind: 'LatencyBudget',
        spec: {
          objective: { percentile, value: '100ms' },
          stages: [
            { name: 'a', budget: '60ms' },
            { name: 'b', budget: '40ms' },
          ],
          ...more,
        },
      }),
    );
  const adds = "the stages' own p95s sum to 44.0 ms, the total's p95 is 44.0 ms: percentiles do not add, shares do";

  it.each<[string, () => Analysis, string[]]>([
    ['a sum', () => analyseArithmetic(budgetAt(95)), []],
    ['p95', () => analyse(budgetAt(95), twoStages, 'measured'), [adds]],
    ['p99', () => analyse(budgetAt(99), twoStages, 'measured'), []],
    [
      'p99 of each',
      () => analyse(budgetAt(99, { interpretation: 'stage-percentile' }), twoStages, 'measured'),
      [
        '2 parts that each keep their own p99 promise only p98 end to end; p99 whatever their dependence needs p99.5 of each',
      ],
    ],
    [
      'a prediction',
      () => analyse(budgetAt(99), twoStages, 'predicted'),
      ['predicted from 4 simulated traces, seed 1; nothing was measured'],
    ],
    [
      'feedbacks that never came',
      () => analyse(budgetAt(50), { ...twoStages, totals: Float64Array.of(11, 22, 33, Infinity) }, 'measured'),
      ['1 of 4 feedbacks never came: they count as infinitely late and have no shares'],
    ],
    [
      'stages that overlap',
      () =>
        analyse(
          budgetAt(99),
          sampleOf(
            [
              { name: 'a', ms: Float64Array.of(9, 9) },
              { name: 'b', ms: Float64Array.of(1, 1) },
            ],
            Float64Array.of(-2, -2),
          ),
          'measured',
        ),
      ['the stages claim 2.0 ms more than there was: they overlap; spans in the traces would tell which'],
    ],
    [
      'stages that overlap by half a millisecond',
      () =>
        analyse(
          budgetAt(99),
          sampleOf(
            [
              { name: 'a', ms: Float64Array.of(9, 9) },
              { name: 'b', ms: Float64Array.of(1, 1) },
            ],
            Float64Array.of(-0.5, -0.5),
          ),
          'measured',
        ),
      [],
    ],
  ])('of %s', (_name, analysis, notes) => expect(reportNotes(analysis())).toEqual(notes));

  it.each([
    [[], false, []],
    [[undefined, undefined], false, []],
    [['a', 'b'], false, []],
    [['a', undefined, undefined], false, ['2 of 3 traces name no session: each is taken as one of its own']],
    [['a', undefined], true, ['traces of one session are taken as independent (--assume-independent)']],
    [[undefined], true, []],
  ])('of sessions %j, taken as independent: %j', (sessions, independent, notes) =>
    expect(traceSessionNotes(tableOf(sessions.map((session) => ({ session }))), independent)).toEqual(notes),
  );

  it('of a label with more values than are judged, those with most traces', () => {
    const labelled = (count: number) =>
      tableOf(
        Array.from({ length: 2 * count - 1 }, (_, i) => ({ labels: { device: `d${Math.ceil(i / 2)}` }, totalMs: i })),
      );
    expect(groupNotes(labelled(50), 'device')).toEqual([]);
    expect(groupNotes(labelled(52), 'device')).toEqual([
      '2 more values of device are not shown; these 50 have most traces',
    ]);
    const table = labelled(51);
    const sample = sampleOf([
      { name: 'a', ms: table.totals.slice() },
      { name: 'b', ms: new Float64Array(table.n) },
    ]);
    const whatIf = [{ name: 'x', changes: [{ stage: 'a', remove: true }] }];
    const groups = splitBy(budgetAt(95, { whatIf }), sample, table, { label: 'device', doubt: 'late' });
    expect(groups).toHaveLength(mostGroups);
    expect(groups.map(({ value }) => value)).toEqual(Array.from({ length: 50 }, (_, i) => `d${50 - i}`));
    expect(groups[0]!.analysis).toMatchObject({ doubt: 'late', verdict: 'invalid', whatIf: [], source: 'measured' });
  });
});

describe('traces beside a figure', () => {
  const table = tableOf([5, 1, 9, 4, Infinity].map((totalMs, i) => ({ totalMs, ...(i === 1 ? { atMs: 70 } : {}) })));
  const sample = {
    ...sampleOf([{ name: 'a', ms: table.totals.slice() }], Float64Array.of(1, 2, 3, 4, 5)),
    totals: table.totals,
  };
  it.each([
    [4.2, 2, [4, 1]],
    [4.2, 9, [4, 1, 2, 3]],
    [3, 3, [4, 1, 2]],
    [0, 1, [2]],
    [Infinity, 3, []],
  ])('the nearest to %f, at most %i', (value, count, lines) =>
    expect(exemplarsNear(sample, table, value, count).map(({ line }) => line)).toEqual(lines),
  );
  it('have all that is known of them', () =>
    expect(exemplarsNear(sample, table, 0, 2)).toEqual([
      { session: undefined, atMs: 70, line: 2, totalMs: 1, stages: [{ name: 'a', ms: 1 }], unattributedMs: 2 },
      { session: undefined, atMs: undefined, line: 4, totalMs: 4, stages: [{ name: 'a', ms: 4 }], unattributedMs: 4 },
    ]));
});

describe('levers', () => {
  it('have the factor that the rank of the percentile allows', () => {
    expect(leversFor(twoStages, 0.75, 23)).toEqual([
      { stage: 'a', possible: true, factor: 20 / 30, savesMs: 10 },
      { stage: 'b', possible: false, factor: undefined, savesMs: 3 },
    ]);
    expect(leversFor(twoStages, 1, 40)).toEqual([
      { stage: 'a', possible: true, factor: 0.9, savesMs: 4 },
      { stage: 'b', possible: true, factor: 0, savesMs: 4 },
    ]);
    expect(leversFor(twoStages, 0.5, 50)[0]).toMatchObject({ factor: 1, possible: true });
    expect(togetherLever(twoStages, 1, 22, [])).toEqual({
      stage: 'all others',
      possible: true,
      factor: 0.5,
      savesMs: 22,
    });
    expect(togetherLever(twoStages, 1, 22, ['a', 'b'])).toMatchObject({ possible: false, savesMs: 0 });
  });

  it('of a plan with a reserve are told again for what is left when it is spent', () => {
    const plan = (reserveMs: number) =>
      sampleOf([
        { name: 'a', ms: Float64Array.of(60) },
        { name: 'b', ms: Float64Array.of(30) },
        { name: 'reserve', ms: Float64Array.of(reserveMs) },
      ]);
    const more = { name: 'x', changes: [{ stage: 'a', kind: 'shift' as const, byMs: 20 }] };
    const objective = { p: 1, valueMs: 100, confidence: 0.95 };
    expect(answerWhatIf(plan(10), more, objective)).toEqual({
      name: 'x',
      changes: more.changes,
      valueMs: 120,
      deltaMs: 20,
      interval: { low: 120, high: Number.POSITIVE_INFINITY },
      targetMs: 100,
      overshootMs: 20,
      levers: [
        { stage: 'a', possible: true, factor: 0.75, savesMs: 20 },
        { stage: 'b', possible: true, factor: 1 / 3, savesMs: 20 },
        { stage: 'reserve', possible: false, factor: undefined, savesMs: 10 },
      ],
      together: { stage: 'all others', possible: true, factor: 0.5, savesMs: 20 },
      afterReserve: [
        { stage: 'a', possible: true, factor: 0.875, savesMs: 10 },
        { stage: 'b', possible: true, factor: 2 / 3, savesMs: 10 },
      ],
      belowZero: 0,
    });
    expect(answerWhatIf(plan(20), more, { ...objective, valueMs: 110 }).afterReserve).toEqual([]);
    expect(answerWhatIf(plan(10), more, { ...objective, valueMs: 120 })).toMatchObject({
      targetMs: 100,
      overshootMs: 20,
    });
    const none = { name: 'x', changes: [] };
    expect(answerWhatIf(plan(10), none, objective)).toMatchObject({
      levers: [],
      afterReserve: [],
      overshootMs: 0,
      deltaMs: 0,
    });
    expect(answerWhatIf(plan(10), none, objective).together).toBeUndefined();
  });

  it('owe nothing where the percentile never came', () => {
    const never = { ...twoStages, totals: new Float64Array(4).fill(Infinity) };
    expect(answerWhatIf(never, { name: 'x', changes: [] }, { p: 0.5, valueMs: 5, confidence: 0.95 })).toMatchObject({
      valueMs: Infinity,
      levers: [],
      together: undefined,
      afterReserve: [],
      overshootMs: 0,
    });
  });
});

function tableOf(rows: readonly { session?: string | undefined; totalMs?: number; atMs?: number; labels?: object }[]) {
  const builder = new TraceTableBuilder();
  rows.forEach((row, i) => {
    builder.add({ totalMs: 1, stages: {}, atMs: undefined, session: undefined, labels: {}, ...row, line: i + 1 });
  });
  return builder.finish();
}
