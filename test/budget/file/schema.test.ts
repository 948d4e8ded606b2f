import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { budgetJsonSchema, budgetOf, latencyBudget, renamedBudgetKeys } from '../../../src/budget/file/schema.ts';
import { parseDocuments } from '../../../src/config/documents.ts';
import { problemsOf } from '../../kit/problems.ts';

const card = readFileSync('budgets/mobile-500ms.yaml', 'utf8');

const changes = (change: string) => `\n  whatIf: [{ name: x, changes: [{ stage: asr, ${change} }] }]`;

describe('the budgets that ship', () => {
  it('the card: 80 + 20 + 30 + 250 + 40 + 80 = 500 ms', () => {
    const budget = budgetOf(parseDocuments('b.yaml', card, 'LatencyBudget', latencyBudget)[0]!.value);
    expect(budget.stages.map(({ budgetMs }) => budgetMs)).toEqual([80, 20, 30, 250, 40]);
    expect([budget.reserveMs, budget.objective]).toEqual([80, { percentile: 95, op: 'lte', valueMs: 500 }]);
    expect(budget.stages.map(({ of }) => of)).toEqual([
      ['uplink', 'downlink'],
      ['ingress', 'queue'],
      ['capture', 'features'],
      ['window', 'asr'],
      ['scoring', 'emit'],
    ]);
  });

  it('the published JSON Schema is current', () => {
    const published: unknown = JSON.parse(readFileSync('schemas/budget.schema.json', 'utf8'));
    expect(published).toEqual(JSON.parse(JSON.stringify(budgetJsonSchema())));
  });

  it.each(readdirSync('budgets'))('budgets/%s fits the JSON Schema and the checks', (name) => {
    const text = readFileSync(`budgets/${name}`, 'utf8');
    const validate = new Ajv2020().compile(budgetJsonSchema());
    expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true);
    expect(parseDocuments(name, text, 'LatencyBudget', latencyBudget)).toHaveLength(1);
  });
});

describe('a budget with a mistake', () => {
  it.each([
    [
      'a sum that falls short',
      'budget: 250ms',
      '',
      'budget: 240ms',
      '16:5: spec.stages: stages and reserve sum to 490 ms (80 + 20 + 30 + 240 + 40 + 80), not to the objective’s 500 ms; 10 ms are unspent',
    ],
    ['a sum that is too much', 'reserve: 80ms', '', 'reserve: 90ms', '10 ms too many'],
    ['a bare number', 'budget: 80ms', '', 'budget: 80', '16:32: spec.stages.0.budget: 80 is not a duration'],
    [
      'an unknown unit',
      'reserve: 80ms',
      '',
      'reserve: 80msec',
      '22:12: spec.reserve: duration "80msec" has the unknown unit "msec"',
    ],
    [
      'a percentile over 100',
      'percentile: 95',
      '',
      'percentile: 195',
      '12:28: spec.objective.percentile: 195 is not a percentile',
    ],
    ['a percentile of 100', 'percentile: 95', '', 'percentile: 100', '100 is not a percentile'],
    [
      'a confidence of 100 %',
      'confidence: 0.95',
      '',
      'confidence: 1',
      '25:23: spec.gate.confidence: 1 is not a confidence',
    ],
    [
      'an unknown interpretation',
      'interpretation: contribution',
      '',
      'interpretation: p95',
      '"p95" is not allowed; allowed: contribution, stage-percentile, guaranteed',
    ],
    ['an unknown key', 'reserve: 80ms', '', 'reserv: 80ms', 'unknown key "reserv" (did you mean "reserve"?)'],
    [
      'a stage named twice',
      'name: features',
      '',
      'name: network',
      '19:15: spec.stages.2.name: a stage "network" stands already at stages.0',
    ],
    ['a stage named as a row of the report', 'name: features', '', 'name: reserve', '"reserve" is no stage'],
    [
      'a trace stage counted twice',
      'of: [ingress, queue]',
      '',
      'of: [ingress, uplink]',
      'the trace stage "uplink" is already counted in "network"',
    ],
    [
      'a what-if about no stage',
      'reserve: 80ms',
      '\n  whatIf: [{ name: x, changes: [{ stage: asrr, shift: 5ms }] }]',
      'reserve: 80ms',
      '23:42: spec.whatIf.0.changes.0.stage: "asrr" is not a stage of the budget (did you mean "asr"?)',
    ],
    [
      'a change that is two',
      'reserve: 80ms',
      '\n  whatIf: [{ name: x, changes: [{ stage: asr, shift: 5ms, scale: 2 }] }]',
      'reserve: 80ms',
      'has 2 of shift, scale, cap, remove; write exactly one',
    ],
    [
      'a distribution of nothing',
      'budget: 250ms',
      ', distribution: { p50: 5ms }',
      'budget: 250ms',
      'p50 is not a distribution; allowed: p50 and p95, mean and sd, constant, or empirical',
    ],
    [
      'an impossible lognormal',
      'budget: 250ms',
      ', distribution: { p50: 9ms, p95: 5ms }',
      'budget: 250ms',
      'p50 9 ms and p95 5 ms are no lognormal',
    ],
    [
      'a distribution for one stage only',
      'budget: 250ms',
      ', distribution: { constant: 5ms }',
      'budget: 250ms',
      '"network" declares no distribution though others do',
    ],
    [
      'correlations that contradict',
      'reserve: 80ms',
      '\n  correlation: -0.9',
      'reserve: 80ms',
      '23:16: spec.correlation: contradicts itself',
    ],
    [
      'a shift without a unit',
      'reserve: 80ms',
      `${changes('shift: 100')}`,
      'reserve: 80ms',
      'shift: 100 is not a duration such as 100ms',
    ],
    ['a scale below 0', 'reserve: 80ms', `${changes('scale: -2')}`, 'reserve: 80ms', 'scale: -2 is not at least 0'],
    ['a confidence of 195 %', '0.95', '', '195%', 'spec.gate.confidence: 195% is outside'],
    ['a correlation above 1', 'reserve: 80ms', '\n  correlation: 2', 'reserve: 80ms', '2 is not a correlation'],
  ])('%s', (_name, was, more, is, message) => {
    const text = card.replace(was, is + more);
    expect(text).not.toBe(card);
    expect(problemsIn(text)).toContain(message.replace('’', "'"));
  });

  it('has every problem said at once', () => {
    const text = card
      .replace('percentile: 95', 'percentile: 0')
      .replace('reserve: 80ms', 'reserve: 70ms')
      .replace('[late_send]', '[uplink]');
    expect(
      problemsIn(text)
        .split('\n')
        .filter((line) => /^ {2}b\.yaml:\d+:\d+: /.test(line)),
    ).toHaveLength(3);
  });
});

it('a file may leave the envelope’s name out, and give negative shifts', () => {
  const text =
    'kind: LatencyBudget\nspec:\n  objective: {percentile: 99, value: 10ms}\n  stages: [{name: a, budget: 10ms}]\n  whatIf: [{name: x, changes: [{stage: a, shift: -2ms}]}]';
  const budget = budgetOf(parseDocuments('b.yaml', text, 'LatencyBudget', latencyBudget)[0]!.value);
  expect(budget).toMatchObject({ name: 'budget', reserveMs: 0, interpretation: 'contribution' });
  expect(budget.whatIf[0]!.changes).toEqual([{ stage: 'a', kind: 'shift', byMs: -2 }]);
});

function problemsIn(text: string): string {
  return problemsOf(() => parseDocuments('b.yaml', text, 'LatencyBudget', latencyBudget));
}

it('a stage may be the trace stages of any tool, and a confidence may be a percentage', () => {
  const text = card.replace('[uplink, downlink]', '["POST /v1/asr", HTTP GET]').replace('0.95', '99%');
  const { spec } = parseDocuments('x.yaml', text, 'LatencyBudget', latencyBudget)[0]!.value;
  expect(spec.stages[0]!.of).toEqual(['POST /v1/asr', 'HTTP GET']);
  expect(spec.gate.confidence).toBeCloseTo(0.99, 12);
});

describe('a budget in full', () => {
  const least = { objective: { percentile: 99, value: '10ms' }, stages: [{ name: 'a', budget: '10ms' }] };

  it('has a default for all but the objective and a stage', () =>
    expect(budgetOf(latencyBudget.parse({ kind: 'LatencyBudget', spec: least }))).toEqual({
      name: 'budget',
      measure: undefined,
      objective: { percentile: 99, op: 'lte', valueMs: 10 },
      interpretation: 'contribution',
      stages: [{ name: 'a', budgetMs: 10, of: ['a'], distribution: undefined }],
      reserveMs: 0,
      unattributed: [],
      correlation: 0,
      gate: { confidence: 0.95, minSamples: 200, onInvalid: 'invalid', stages: 'report' },
      whatIf: [],
      samples: 20_000,
      replicates: 200,
      seed: 1,
    }));

  it('has every field as it was written, times in ms', () =>
    expect(
      budgetOf(
        latencyBudget.parse({
          apiVersion: 'speechfb.dev/v1alpha1',
          kind: 'LatencyBudget',
          metadata: { name: 'card', description: 'for phones' },
          spec: {
            measure: { from: 'speech ends', to: 'feedback is shown' },
            objective: { percentile: 90, op: 'lt', value: '1s' },
            interpretation: 'guaranteed',
            stages: [
              { name: 'a', budget: '500ms', distribution: { p50: '2ms', p95: '2ms' } },
              { name: 'b.c-d_e', budget: '250ms', of: ['x', 'y'], distribution: { mean: '3ms', sd: '0ms' } },
              { name: 'c', budget: '150ms', distribution: { empirical: ['10ms', '9ms', '1ms'] } },
              { name: 'd', budget: '0ms', distribution: { constant: '0ms' } },
            ],
            reserve: '100ms',
            unattributed: ['z'],
            correlation: [{ between: ['a', 'c'], value: 0.25 }],
            gate: { confidence: '90%', minSamples: 1, onInvalid: 'warn', stages: 'enforce' },
            whatIf: [
              {
                name: 'all',
                changes: [
                  { stage: 'a', shift: ' -20ms ' },
                  { stage: 'a', shift: '1s' },
                  { stage: 'b.c-d_e', scale: 0 },
                  { stage: 'c', cap: '0ms' },
                  { stage: 'd', remove: true },
                ],
              },
            ],
            simulation: { samples: 1000, seed: 0 },
            bootstrap: { replicates: 20 },
          },
        }),
      ),
    ).toEqual({
      name: 'card',
      measure: { from: 'speech ends', to: 'feedback is shown' },
      objective: { percentile: 90, op: 'lt', valueMs: 1000 },
      interpretation: 'guaranteed',
      stages: [
        { name: 'a', budgetMs: 500, of: ['a'], distribution: { kind: 'lognormal', p50Ms: 2, p95Ms: 2 } },
        { name: 'b.c-d_e', budgetMs: 250, of: ['x', 'y'], distribution: { kind: 'normal', meanMs: 3, sdMs: 0 } },
        { name: 'c', budgetMs: 150, of: ['c'], distribution: { kind: 'empirical', sortedMs: [1, 9, 10] } },
        { name: 'd', budgetMs: 0, of: ['d'], distribution: { kind: 'constant', ms: 0 } },
      ],
      reserveMs: 100,
      unattributed: ['z'],
      correlation: [{ between: ['a', 'c'], value: 0.25 }],
      gate: { confidence: 0.9, minSamples: 1, onInvalid: 'warn', stages: 'enforce' },
      whatIf: [
        {
          name: 'all',
          changes: [
            { stage: 'a', kind: 'shift', byMs: -20 },
            { stage: 'a', kind: 'shift', byMs: 1000 },
            { stage: 'b.c-d_e', kind: 'scale', factor: 0 },
            { stage: 'c', kind: 'cap', atMs: 0 },
            { stage: 'd', kind: 'remove' },
          ],
        },
      ],
      samples: 1000,
      replicates: 20,
      seed: 0,
    }));

  const place = /^ *b\.yaml:\d+:\d+: (spec\.)?/gm;
  const stageWith = (given: object) => ({ stages: [{ name: 'a', budget: '10ms', ...given }] });
  const changeOf = (given: object) => ({ whatIf: [{ name: 'x', changes: [{ stage: 'a', ...given }] }] });
  it.each<[string, object, string]>([
    [
      'p50 of 0',
      stageWith({ distribution: { p50: '0ms', p95: '5ms' } }),
      'stages.0.distribution: p50 0 ms and p95 5 ms are no lognormal; p50 is above 0 and p95 is not below it',
    ],
    [
      'p95 alone',
      stageWith({ distribution: { p95: '5ms' } }),
      'stages.0.distribution: p95 is not a distribution; allowed: p50 and p95, mean and sd, constant, or empirical',
    ],
    [
      'all kinds at once',
      stageWith({ distribution: { p50: '1ms', p95: '5ms', constant: '1ms' } }),
      'stages.0.distribution: p50+p95+constant is not a distribution; allowed: p50 and p95, mean and sd, constant, or empirical',
    ],
    [
      'mean alone',
      stageWith({ distribution: { mean: '5ms' } }),
      'stages.0.distribution: mean is not a distribution; allowed: p50 and p95, mean and sd, constant, or empirical',
    ],
    [
      'no distribution in it',
      stageWith({ distribution: {} }),
      'stages.0.distribution: nothing is not a distribution; allowed: p50 and p95, mean and sd, constant, or empirical',
    ],
    [
      'a list without a value',
      stageWith({ distribution: { empirical: [] } }),
      'stages.0.distribution.empirical: has 0 entries; allowed: at least 1',
    ],
    [
      'a stage name that begins with a digit',
      stageWith({ name: '4g' }),
      'stages.0.name: "4g" is not a stage name; it starts with a letter and has letters, digits, - _ .',
    ],
    [
      'a stage name with a space',
      stageWith({ name: 'a b' }),
      'stages.0.name: "a b" is not a stage name; it starts with a letter and has letters, digits, - _ .',
    ],
    ['no name', stageWith({ name: undefined }), 'stages.0.name: is missing; write a stage name'],
    ['no trace stage', stageWith({ of: [] }), 'stages.0.of: is empty; list trace stages or leave it out'],
    ['a trace stage of a number', stageWith({ of: [7] }), 'stages.0.of.0: 7 is not a trace stage'],
    [
      'a budget that is longer than an hour',
      stageWith({ budget: '61m' }),
      'stages.0.budget: 61 m is outside 0 ms to 1 h',
    ],
    ['no stages', { stages: [] }, 'stages: is empty: a budget has at least one stage'],
    ['stages by name', { stages: { a: '10ms' } }, 'stages: is not a list of stages such as {name: asr, budget: 250ms}'],
    ['an unattributed stage of a number', { unattributed: [7] }, 'unattributed.0: 7 is not a trace stage'],
    [
      'two changes',
      changeOf({ cap: '1ms', remove: true }),
      'whatIf.0.changes.0: has 2 of shift, scale, cap, remove; write exactly one',
    ],
    ['no change', changeOf({}), 'whatIf.0.changes.0: has 0 of shift, scale, cap, remove; write exactly one'],
    [
      'a change of no stage',
      changeOf({ stage: undefined, remove: true }),
      'whatIf.0.changes.0.stage: is missing; write a stage of the budget',
    ],
    [
      'a removal that is none',
      changeOf({ remove: false }),
      'whatIf.0.changes.0.remove: false is not allowed; allowed: true',
    ],
    [
      'a shift of nothing',
      changeOf({ shift: 'x-20ms' }),
      'whatIf.0.changes.0.shift: "x-20ms" is not a duration; write a number and one of us, ms, s, m, h',
    ],
    [
      'a what-if without changes',
      { whatIf: [{ name: 'x', changes: [] }] },
      'whatIf.0.changes: has 0 entries; allowed: at least 1',
    ],
    [
      'a what-if without a name',
      { whatIf: [{ changes: [{ stage: 'a', remove: true }] }] },
      'whatIf.0.name: is missing; write a name',
    ],
    [
      'a percentile of 0',
      { objective: { percentile: 0, value: '10ms' } },
      'objective.percentile: 0 is not a percentile; write a number above 0 and below 100, such as 95',
    ],
    [
      'a percentile of 100',
      { objective: { percentile: 100, value: '10ms' } },
      'objective.percentile: 100 is not a percentile; write a number above 0 and below 100, such as 95',
    ],
    [
      'a percentile of text',
      { objective: { percentile: 'p95', value: '10ms' } },
      'objective.percentile: "p95" is not a percentile; write a number above 0 and below 100, such as 95',
    ],
    [
      'a relation that is none',
      { objective: { percentile: 95, op: 'gt', value: '10ms' } },
      'objective.op: "gt" is not allowed; allowed: lte, lt',
    ],
    [
      'a confidence of 0',
      { gate: { confidence: 0 } },
      'gate.confidence: 0 is not a confidence; write a number above 0 and below 1, such as 0.95, or 95%',
    ],
    [
      'a confidence of 1',
      { gate: { confidence: 1 } },
      'gate.confidence: 1 is not a confidence; write a number above 0 and below 1, such as 0.95, or 95%',
    ],
    [
      'a confidence of 100 %',
      { gate: { confidence: '100%' } },
      'gate.confidence: 100% is outside 1e-7% to 99.9999999%',
    ],
    ['a confidence of 0 %', { gate: { confidence: '0%' } }, 'gate.confidence: 0% is outside 1e-7% to 99.9999999%'],
    [
      'a confidence of a list',
      { gate: { confidence: [] } },
      'gate.confidence: [] is not a confidence; write a number above 0 and below 1, such as 0.95, or 95%',
    ],
    [
      'no sample asked for',
      { gate: { minSamples: 0 } },
      'gate.minSamples: 0 is not a whole number from 1 to 1000000000',
    ],
    [
      'an answer to what is invalid that is none',
      { gate: { onInvalid: 'pass' } },
      'gate.onInvalid: "pass" is not allowed; allowed: invalid, warn, fail',
    ],
    [
      'an answer to stages that is none',
      { gate: { stages: 'fail' } },
      'gate.stages: "fail" is not allowed; allowed: report, enforce',
    ],
    [
      'a correlation below -1',
      { correlation: -1.1 },
      'correlation: -1.1 is not a correlation; write a number from -1 to 1, or a list of {between: [network, asr], value: 0.5}',
    ],
    [
      'a correlation above 1',
      { correlation: 1.1 },
      'correlation: 1.1 is not a correlation; write a number from -1 to 1, or a list of {between: [network, asr], value: 0.5}',
    ],
    [
      'a correlation of text',
      { correlation: 'much' },
      'correlation: "much" is not a correlation; write a number from -1 to 1, or a list of {between: [network, asr], value: 0.5}',
    ],
    [
      'a correlation of a pair above 1',
      { correlation: [{ between: ['a', 'a'], value: 2 }] },
      'correlation.0.value: 2 is not a correlation; write a number from -1 to 1, or a list of {between: [network, asr], value: 0.5}',
    ],
    [
      'a correlation of one stage',
      { correlation: [{ between: ['a'], value: 0 }] },
      'correlation.0.between: has 1 entries; allowed: at least 2',
    ],
    [
      'a correlation of a pair of numbers',
      { correlation: [{ between: ['a', 2], value: 0 }] },
      'correlation.0.between.1: 2 is not a stage',
    ],
    ['a measure without an end', { measure: { from: 'x' } }, 'measure.to: is missing; write a moment'],
    ['a measure without a begin', { measure: { to: 'x' } }, 'measure.from: is missing; write a moment'],
    [
      'a simulation of few samples',
      { simulation: { samples: 999 } },
      'simulation.samples: 999 is not a whole number from 1000 to 1000000',
    ],
    [
      'a simulation of too many samples',
      { simulation: { samples: 1_000_001 } },
      'simulation.samples: 1000001 is not a whole number from 1000 to 1000000',
    ],
    ['a seed below 0', { simulation: { seed: -1 } }, 'simulation.seed: -1 is not a whole number from 0 to 4294967295'],
    [
      'few replicates',
      { bootstrap: { replicates: 19 } },
      'bootstrap.replicates: 19 is not a whole number from 20 to 10000',
    ],
  ])('refuses %s', (_name, spec, problem) => {
    const text = JSON.stringify({ kind: 'LatencyBudget', spec: { ...least, ...spec } });
    expect(problemsIn(text).replaceAll(place, '').split('\n').slice(1)).toEqual([problem]);
  });

  it.each([
    [
      { kind: 'Budget', spec: least },
      'kind: "Budget" is not allowed; allowed: LoadScenario, LatencyBudget, ServiceLevel, CanaryAnalysis, CapacityScenario, StreamProtocol, RoutingPolicy, DeployValues',
    ],
    [
      { kind: 'LatencyBudget', apiVersion: 'v2', spec: least },
      'apiVersion: "v2" is not allowed; allowed: speechfb.dev/v1alpha1',
    ],
    [{ kind: 'LatencyBudget', metadata: {}, spec: least }, 'metadata.name: is missing; write a name'],
    [
      { kind: 'LatencyBudget', metadata: { name: 'x', description: 7 }, spec: least },
      'metadata.description: 7 is not a sentence',
    ],
  ])('refuses %j', (document, problem) => {
    expect(problemsIn(JSON.stringify(document)).replaceAll(place, '').split('\n').slice(1)).toEqual([problem]);
  });

  it('is named in the JSON Schema, and so is the key that once had another name', () => {
    expect(budgetJsonSchema()).toMatchObject({ title: 'speechfb LatencyBudget', type: 'object' });
    expect(renamedBudgetKeys).toEqual([{ path: ['spec', 'gate', 'onInconclusive'], now: 'onInvalid' }]);
  });
});
