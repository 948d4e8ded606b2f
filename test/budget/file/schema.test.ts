import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { budgetJsonSchema, budgetOf, latencyBudget } from '../../../src/budget/file/schema.ts';
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
