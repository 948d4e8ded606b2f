import { describe, expect, it } from 'vitest';
import { analyse, analyseArithmetic } from '../../src/budget/analyse.ts';
import { guaranteedLevel, promisedLevel } from '../../src/budget/decompose/stage-report.ts';
import { exemplarsNear } from '../../src/budget/exemplars.ts';
import type { Budget, BudgetStage } from '../../src/budget/file/budget.ts';
import { reportNotes } from '../../src/budget/report.ts';
import { budgetSample } from '../../src/budget/sample/from-traces.ts';
import { splitBy } from '../../src/budget/split.ts';
import { TraceTableBuilder } from '../../src/budget/traces/table.ts';
import { cardModel, drawTraces } from '../kit/gaussian.ts';

const names = ['network', 'edge', 'features', 'asr', 'scoring', 'delivery'];

describe('measured traces', () => {
  const sample = drawTraces(cardModel(0), 4000, 2);

  it('keep the card’s budget as shares of p95', () => {
    const analysis = analyse(budgetWith({}), sample, 'measured');
    expect(analysis.verdict).toBe('pass');
    expect(analysis.stages.map(({ verdict }) => verdict)).toEqual(['pass', 'pass', 'pass', 'pass', 'pass', 'pass']);
    expect(analysis.total).toMatchObject({ n: 4000, never: 0, moreTraces: undefined });
  });

  it('judge a stage by its own percentile, and each harder, when the file says so', () => {
    const own = analyse(budgetWith({ interpretation: 'stage-percentile' }), sample, 'measured').stages[3]!;
    const sure = analyse(budgetWith({ interpretation: 'guaranteed' }), sample, 'measured').stages[3]!;
    expect(own.judged.what).toBe('p95');
    expect(Math.abs(own.judged.ms - 252.24)).toBeLessThan(5);
    expect(sure.judged.what).toBe('p99.17');
    expect(Math.abs(sure.judged.ms - 289.7)).toBeLessThan(12);
    expect([own.verdict, sure.verdict]).toEqual(['invalid', 'fail']);
    expect(own.moreTraces).toBeGreaterThan(0);
  });

  it('are too few below the least number of samples, and then prove nothing', () => {
    const few = drawTraces(cardModel(0), 150, 2);
    const analysis = analyse(budgetWith({}), few, 'measured');
    expect([analysis.verdict, analysis.total!.moreTraces]).toEqual(['invalid', 50]);
    expect(analysis.stages.every(({ verdict }) => verdict === 'invalid')).toBe(true);
    const gate = { ...budgetWith({}).gate, minSamples: 1 };
    const tiny = analyse(budgetWith({ gate }), drawTraces(cardModel(0), 60, 2), 'measured');
    expect([tiny.verdict, tiny.total!.moreTraces]).toEqual(['invalid', 12]);
  });

  it('straddle a limit near the figure, and say how many more decide it', () => {
    const analysis = analyse(
      budgetWith({ objective: { percentile: 95, op: 'lte', valueMs: 426.5 } }),
      sample,
      'measured',
    );
    expect(analysis.verdict).toBe('invalid');
    expect(analysis.total!.moreTraces).toBeGreaterThan(1000);
  });

  it('fail a budget that is broken, and by a stage alone only when the gate enforces stages', () => {
    expect(
      analyse(budgetWith({ objective: { percentile: 95, op: 'lte', valueMs: 400 } }), sample, 'measured').verdict,
    ).toBe('fail');
    const tight = budgetWith({ budgets: [40, 20, 30, 255, 40, 80] });
    expect(analyse(tight, sample, 'measured')).toMatchObject({
      verdict: 'pass',
      stages: [{ verdict: 'fail' }, {}, {}, {}, {}, {}],
    });
    const enforced = { ...tight, gate: { ...tight.gate, stages: 'enforce' as const } };
    expect(analyse(enforced, sample, 'measured').verdict).toBe('fail');
  });

  it.each([
    ['all stages keep their budgets', [80, 20, 30, 255, 40, 80], 'pass'],
    ['one of them straddles its budget', [80, 20, 30, 243, 40, 80], 'invalid'],
  ] as const)('where the gate enforces stages and %s: %s', (_, budgets, verdict) => {
    const budget = budgetWith({ budgets: [...budgets] });
    const enforced = { ...budget, gate: { ...budget.gate, stages: 'enforce' as const } };
    expect(analyse(budget, sample, 'measured').verdict).toBe('pass');
    expect(analyse(enforced, sample, 'measured').verdict).toBe(verdict);
  });

  it('are enough when they are as many as are needed, and not one fewer', () => {
    const gate = { ...budgetWith({}).gate, minSamples: 1 };
    // The median of six has an interval at 95 %, that of five has none.
    const median = budgetWith({ objective: { percentile: 50, op: 'lte', valueMs: 900 }, gate });
    const enough = (count: number) => analyse(median, drawTraces(cardModel(0), count, 2), 'measured').total;
    expect(enough(6)).toMatchObject({ needed: 6, enough: true });
    expect(enough(5)).toMatchObject({ needed: 6, enough: false, moreTraces: 1, moreSessions: undefined });
    const least = budgetWith({ gate: { ...gate, minSamples: 100 } });
    expect(analyse(least, drawTraces(cardModel(0), 100, 2), 'measured').total).toMatchObject({
      needed: 100,
      enough: true,
    });
  });

  it('say what a millisecond of a stage is worth at p95', () => {
    const { stages } = analyse(budgetWith({}), sample, 'measured');
    expect(Math.abs(stages[3]!.worthMs - 242.8983 / 170)).toBeLessThan(0.05);
  });

  it('come with notes that keep readers from adding percentiles', () => {
    const analysis = analyse(budgetWith({ interpretation: 'guaranteed' }), sample, 'measured');
    const notes = reportNotes(analysis).join('\n');
    expect(notes).toMatch(/p95s sum to 50\d\.\d ms, the total's p95 is 42\d\.\d ms: percentiles do not add/);
    expect(notes).toContain(
      '6 parts that each keep their own p95 promise only p70 end to end; p95 whatever their dependence needs p99.17 of each',
    );
  });
});

it('six stages at p95 promise p70; p95 needs p99.17 of each', () => {
  expect(promisedLevel(0.95, 6)).toBeCloseTo(0.7, 12);
  expect(guaranteedLevel(0.95, 6)).toBeCloseTo(0.991667, 6);
});

describe('without data', () => {
  it('asr + 100 ms breaks the card: nothing but asr itself repays it alone, the reserve falls 20 ms short', () => {
    const card = budgetWith({
      budgets: [80, 20, 30, 250, 40],
      reserveMs: 80,
      whatIf: [{ name: 'asr+100ms', changes: [{ stage: 'asr', kind: 'shift', byMs: 100 }] }],
    });
    const analysis = analyseArithmetic(card);
    expect(analysis).toMatchObject({ source: 'arithmetic', verdict: 'pass', total: undefined });
    const [answer] = analysis.whatIf;
    expect(answer).toMatchObject({ valueMs: 600, deltaMs: 100, overshootMs: 100, targetMs: 500 });
    expect(answer!.levers.map(({ stage, possible, savesMs }) => [stage, possible, savesMs])).toEqual([
      ['network', false, 80],
      ['edge', false, 20],
      ['features', false, 30],
      ['asr', true, 100],
      ['scoring', false, 40],
      ['reserve', false, 80],
    ]);
    expect(answer!.levers[3]!.factor).toBeCloseTo(250 / 350, 12);
    expect(answer!.together!.factor).toBeCloseTo(0.6, 12);
  });
});

describe('a plan', () => {
  it('passes by its sum, has no figure but what-ifs, and a reserve of nothing is no lever', () => {
    const whatIf = [{ name: 'x', changes: [{ stage: 'network', kind: 'shift', byMs: 10 } as const] }];
    const plan = budgetWith({ budgets: [60, 40], whatIf });
    const { whatIf: answers, ...rest } = analyseArithmetic(plan);
    expect(rest).toEqual({
      source: 'arithmetic',
      budget: plan,
      total: undefined,
      verdict: 'pass',
      doubt: undefined,
      stages: [],
      unattributed: undefined,
      exactMs: undefined,
      exactShares: undefined,
    });
    expect(answers.map(({ valueMs, exactMs, levers }) => [valueMs, exactMs, levers.map(({ stage }) => stage)])).toEqual(
      [[110, undefined, ['network', 'edge']]],
    );
  });

  it('of normal stages has its percentile in closed form, and that of its what-ifs but for caps', () => {
    const normal = { kind: 'normal', meanMs: 40, sdMs: 3 } as const;
    const constant = { kind: 'constant', ms: 7 } as const;
    const whatIf = [
      { name: 'less', changes: [{ stage: 'edge', kind: 'remove' } as const] },
      { name: 'cap', changes: [{ stage: 'edge', kind: 'cap', atMs: 1 } as const] },
    ];
    const budget = { ...budgetWith({ budgets: [60, 40], whatIf }), replicates: 20 };
    const stages = budget.stages.map((each, i) => ({ ...each, distribution: i === 0 ? normal : constant }));
    const sample = drawTraces(
      {
        stages: [
          { name: 'network', meanMs: 40, sdMs: 3 },
          { name: 'edge', meanMs: 7, sdMs: 0 },
        ],
        correlation: [
          [1, 0],
          [0, 1],
        ],
      },
      300,
      1,
    );
    const p95 = 40 + 3 * 1.6448536269514722;
    const predicted = analyse({ ...budget, stages }, sample, 'predicted');
    expect(predicted.exactMs).toBeCloseTo(p95 + 7, 9);
    expect(predicted.exactShares!.map((ms) => Number(ms.toFixed(6)))).toEqual([Number(p95.toFixed(6)), 7]);
    expect(predicted.whatIf[0]!.exactMs).toBeCloseTo(p95, 9);
    expect(predicted.whatIf[1]!.exactMs).toBeUndefined();
    const measured = analyse({ ...budget, stages }, sample, 'measured');
    expect([measured.exactMs, measured.exactShares, measured.whatIf[0]!.exactMs]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('with a doubt about its run proves nothing, and asks for no more traces', () => {
    const sample = drawTraces(cardModel(0), 300, 2);
    const { verdict, doubt, total, stages } = analyse(budgetWith({ replicates: 20 }), sample, 'measured', 'late');
    expect([verdict, doubt, total!.enough, total!.moreTraces]).toEqual(['invalid', 'late', true, undefined]);
    expect(new Set(stages.map((each) => each.verdict))).toEqual(new Set(['invalid']));
  });
});

describe('traces and budget together', () => {
  const records = [
    { totalMs: 10, stages: { uplink: 2, downlink: 1, asr: 5 }, profile: '4g' },
    { totalMs: 20, stages: { uplink: 4, asr: 16 }, profile: 'wifi' },
    { totalMs: Infinity, stages: { asr: 1 }, profile: '4g' },
  ];
  const places = { ofTraceStage: (name: string) => `t:${name}`, ofBudgetStage: (index: number) => `b:${index}` };
  const twoStages = (of: readonly string[], unattributed: readonly string[] = []): Budget => ({
    ...budgetWith({}),
    stages: [stage('network', 50, of), stage('asr', 50)],
    unattributed,
  });

  it('sum trace stages into the budget’s, and leave the rest unattributed', () => {
    const { sample, unclaimed, absent, notes } = budgetSample(
      tableOf(records),
      twoStages(['uplink', 'downlink', 'tunnel']),
      places,
    );
    expect([...unclaimed, ...absent]).toEqual([]);
    expect(notes).toEqual(['"network": no trace has tunnel; it counts as 0']);
    expect([...sample.stages[0]!.ms]).toEqual([3, 4, 0]);
    expect([...sample.unattributed]).toEqual([2, 0, 0]);
    expect([...sample.totals]).toEqual([10, 20, Infinity]);
  });

  it('have a problem for every name that only one of them knows', () => {
    const { unclaimed, absent } = budgetSample(tableOf(records), twoStages(['uplnk']), places);
    expect([...unclaimed, ...absent].map(({ where, message }) => `${where} ${message}`)).toEqual([
      expect.stringMatching(/^t:uplink stages\.uplink: no stage of the budget counts it \(did you mean "uplnk"\?\)/),
      expect.stringMatching(/^t:downlink stages\.downlink: no stage/),
      expect.stringMatching(/^b:0 stages\.0: "network" sums uplnk, which no trace has \(did you mean "uplink"\?\)/),
    ]);
  });

  it('of a budget from before the window was a stage leave it unattributed, and say so', () => {
    const windowed = [{ totalMs: 30, stages: { uplink: 2, window: 20, asr: 5 }, profile: '4g' }];
    const found = budgetSample(tableOf(windowed), twoStages(['uplink']), places);
    expect([...found.unclaimed, ...found.absent]).toEqual([]);
    expect([...found.sample.unattributed]).toEqual([23]);
    expect(found.notes).toEqual([
      expect.stringMatching(/^no stage of the budget counts "window": its time is unattributed/),
    ]);
  });

  it('of a server from before the window was told need no note', () => {
    const { notes } = budgetSample(tableOf(records), twoStages(['uplink', 'downlink', 'window']), places);
    expect(notes).toEqual([]);
  });

  it('may leave a trace stage unattributed on purpose', () => {
    const { sample, unclaimed, absent } = budgetSample(tableOf(records), twoStages(['uplink'], ['downlink']), places);
    expect([...unclaimed, ...absent]).toEqual([]);
    expect([...sample.unattributed]).toEqual([3, 0, 0]);
  });

  it('split by a label, slowest first', () => {
    const table = tableOf(records);
    const budget = twoStages(['uplink', 'downlink']);
    const groups = splitBy(budget, budgetSample(table, budget, places).sample, table, { label: 'profile' });
    expect(groups.map(({ value, analysis }) => [value, analysis.total!.n, analysis.total!.valueMs])).toEqual([
      ['4g', 2, Infinity],
      ['wifi', 1, 20],
    ]);
  });

  it('split by a label has no group of a value whose traces were not kept', () => {
    const table = tableOf(records);
    const budget = twoStages(['uplink', 'downlink']);
    const { codes, values } = table.labels.profile;
    const labels = { ...table.labels, profile: { codes, values: [...values, 'edge'] } };
    const { sample } = budgetSample(table, budget, places);
    const groups = splitBy(budget, sample, { ...table, labels }, { label: 'profile' });
    expect(groups.map(({ value }) => value)).toEqual(['4g', 'wifi']);
  });

  it('have exemplars: the traces nearest to the figure', () => {
    const table = tableOf(records);
    const { sample } = budgetSample(table, twoStages(['uplink', 'downlink']), places);
    const found = exemplarsNear(sample, table, 19, 5);
    expect(found.map(({ totalMs, line, session }) => [totalMs, line, session])).toEqual([
      [20, 2, 's2'],
      [10, 1, 's1'],
    ]);
    expect(found[1]).toMatchObject({
      stages: [
        { name: 'network', ms: 3 },
        { name: 'asr', ms: 5 },
      ],
      unattributedMs: 2,
    });
  });
});

function budgetWith({
  budgets = [80, 20, 30, 255, 40, 80],
  ...rest
}: Partial<Budget> & { budgets?: number[] }): Budget {
  return {
    name: 'card',
    measure: undefined,
    objective: { percentile: 95, op: 'lte', valueMs: 500 },
    interpretation: 'contribution',
    stages: budgets.map((budgetMs, i) => stage(names[i]!, budgetMs)),
    reserveMs: 0,
    unattributed: [],
    correlation: 0,
    gate: { confidence: 0.95, minSamples: 200, onInvalid: 'invalid', stages: 'report' },
    whatIf: [],
    samples: 20_000,
    replicates: 200,
    seed: 1,
    ...rest,
  };
}

function stage(name: string, budgetMs: number, of: readonly string[] = [name]): BudgetStage {
  return { name, budgetMs, of, distribution: undefined };
}

function tableOf(records: readonly { totalMs: number; stages: Record<string, number>; profile: string }[]) {
  const builder = new TraceTableBuilder();
  records.forEach(({ totalMs, stages, profile }, i) => {
    builder.add({ totalMs, stages, atMs: undefined, session: `s${i + 1}`, labels: { profile }, line: i + 1 });
  });
  return builder.finish();
}
