import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { checkServiceLevel } from '../../../src/slo/service-level/check.ts';
import { serviceLevelJsonSchema } from '../../../src/slo/service-level/service-level.ts';
import { problemsOf } from '../../kit/problems.ts';
import { levelOf, oneObjective } from '../../kit/service-level-kit.ts';

const shipped = readFileSync('slo/live-feedback.yaml', 'utf8');

describe('the service level that ships', () => {
  it('has nothing to object to', () => {
    expect(checkServiceLevel(levelOf(shipped)).findings).toEqual([]);
  });

  it('fits the published JSON Schema, which is current', () => {
    const published: object = JSON.parse(readFileSync('schemas/slo.schema.json', 'utf8'));
    expect(published).toEqual(JSON.parse(JSON.stringify(serviceLevelJsonSchema())));
    const validate = new Ajv2020().compile(published);
    expect(validate(parse(shipped)), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ ...parse(shipped), kind: 'Pod' })).toBe(false);
  });
});

describe('a service level without alerts', () => {
  it('gets the four rows of the workbook', () => {
    const { alerts } = levelOf(oneObjective());
    expect(alerts.map(({ severity, burn }) => [severity, burn])).toEqual([
      ['page', 14.4],
      ['page', 6],
      ['ticket', 3],
      ['ticket', 1],
    ]);
  });
});

describe('a service level with a mistake', () => {
  it.each([
    [
      'a target of 100 %',
      oneObjective('', '100%'),
      'level.yaml:8:15: spec.objectives.0.target: "100%" leaves no error budget',
    ],
    [
      'a target above 100 %',
      oneObjective('', '101%'),
      'level.yaml:8:15: spec.objectives.0.target: "101%" is outside 0% to 100%',
    ],
    [
      'a target without a unit',
      oneObjective('', '"0.99"'),
      'level.yaml:8:15: spec.objectives.0.target: percentage "0.99" has no unit',
    ],
    [
      'an alert that can never fire',
      oneObjective('  alerts:\n    - {severity: page, budget: 2%, long: 1h, short: 5m}', '93%'),
      'level.yaml:11:7: spec.alerts.0: an alert above a burn of 14.4 can never fire for "availability": at a target of 93 % the ' +
        'burn is at most 14.3, when every event is bad; allowed: a burn below that, or a target above 93.06 %',
    ],
    [
      'default alerts that can never fire',
      oneObjective('', '90%'),
      'level.yaml:8:15: spec.objectives.0.target: an alert above a burn of 14.4',
    ],
    [
      'windows the wrong way round',
      oneObjective('  alerts: [{severity: page, burn: 2, long: 5m, short: 1h}]'),
      'level.yaml:10:55: spec.alerts.0.short: is not shorter than the long window',
    ],
    [
      'a window longer than the period',
      oneObjective('  period: 1d\n  alerts: [{severity: page, burn: 2, long: 2d, short: 1h}]'),
      'spec.alerts.0.long: the long window of 2 d is longer than the period of 1 d',
    ],
    [
      'budget and burn at once',
      oneObjective('  alerts: [{severity: page, burn: 2, budget: 2%, long: 2d, short: 1h}]'),
      'level.yaml:10:12: spec.alerts.0: needs exactly one of budget, burn',
    ],
    [
      'a severity nobody knows',
      oneObjective('  alerts: [{severity: wake, burn: 2, long: 2d, short: 1h}]'),
      '"wake" is not one of page, ticket',
    ],
    [
      'a key nobody knows',
      oneObjective('  peroid: 30d'),
      'level.yaml:10:3: spec: unknown key "peroid" (did you mean "period"?)',
    ],
    [
      'a name in capitals',
      oneObjective().replace('name: availability', 'name: Availability'),
      'spec.objectives.0.name: "Availability" is not lower-case letters, digits and hyphens',
    ],
    [
      'a name that begins with a hyphen',
      oneObjective().replace('service: speechfb', 'service: -speechfb'),
      'spec.service: "-speechfb" is not lower-case letters, digits and hyphens',
    ],
    [
      'objectives that are none',
      oneObjective().replace(/objectives:[\s\S]*/, 'objectives: all'),
      'spec.objectives: is not a list of objectives',
    ],
    [
      'no objective at all',
      oneObjective().replace(/objectives:[\s\S]*/, 'objectives: []'),
      'spec.objectives: is empty',
    ],
    ['alerts that are none', oneObjective('  alerts: default'), 'spec.alerts: is not a list of alerts'],
    [
      'a burn that is a word',
      oneObjective('  alerts: [{severity: page, burn: fast, long: 1h, short: 5m}]'),
      'spec.alerts.0.burn: is not a number such as 14.4',
    ],
    [
      'a burn of nothing',
      oneObjective('  alerts: [{severity: page, burn: 0, long: 1h, short: 5m}]'),
      'spec.alerts.0.burn: is not above 0',
    ],
    [
      'neither budget nor burn',
      oneObjective('  alerts: [{severity: page, long: 1h, short: 5m}]'),
      'spec.alerts.0: needs exactly one of budget, burn',
    ],
    [
      'two windows of one length',
      oneObjective('  alerts: [{severity: page, burn: 2, long: 1h, short: 1h}]'),
      'spec.alerts.0.short: is not shorter than the long window',
    ],
    [
      'a window of seconds',
      oneObjective('  alerts: [{severity: page, burn: 2, long: 59s, short: 15s}]'),
      'spec.alerts.0.long: is shorter than 60 s',
    ],
    ['a period of minutes', oneObjective('  period: 59m\n  alerts: []'), 'spec.period: is shorter than 3600 s'],
    [
      'a period that the default alerts do not fit',
      oneObjective('  period: 2d'),
      'spec.period: the long window of 3 d is longer than the period of 2 d',
    ],
    ['traffic in words', oneObjective('  traffic: much'), 'spec.traffic: "much" is not'],
    ['a description that is none', oneObjective('  description: x'), 'spec: unknown key "description"'],
    ['a period without a unit', oneObjective('  period: 30'), 'level.yaml:10:11: spec.period:'],
    ['an empty file', '', 'level.yaml:1:1'],
  ])('%s is named at its line', (_, yaml, message) => {
    expect(problemsIn(yaml)).toContain(message);
  });

  it('has every problem listed at once', () => {
    const yaml = oneObjective('  peroid: 30d\n  traffic: 5', '100%');
    expect(problemsIn(yaml)).toContain('has 3 problems');
  });

  it('is told of two objectives of one name', () => {
    const twice = oneObjective().replace(/( {4}- name[\s\S]*)/, '$1$1');
    expect(problemsIn(twice)).toContain(
      'level.yaml:10:13: spec.objectives.1.name: "availability" is already an objective',
    );
  });

  it.each([
    ['{}', 'needs exactly one of latency, events'],
    ['{events: {total: a_total}}', 'needs exactly one of good, bad'],
    [
      '{events: {bad: b, total: a}, loadtest: {metric: feedback_latency}}',
      'feedback_latency is a latency and needs atMost',
    ],
    [
      '{events: {bad: b, total: a}, loadtest: {metric: availability, atMost: 1s}}',
      'availability is a share and takes no atMost',
    ],
    ['{events: {good: b, bad: b, total: a}}', 'spec.objectives.0.indicator.events: needs exactly one of good, bad'],
    [
      '{latency: {histogram: h, atMost: 1s}, events: {bad: b, total: a}}',
      'spec.objectives.0.indicator: needs exactly one of latency, events',
    ],
    [
      '{events: {bad: b, total: a}, loadtest: {metric: goodness}}',
      'spec.objectives.0.indicator.loadtest.metric: "goodness" is not one of feedback_latency, first_partial, ',
    ],
    [
      '{events: {bad: b, total: a}, loadtest: {metric: final_latency}}',
      'spec.objectives.0.indicator.loadtest: final_latency is a latency and needs atMost',
    ],
    ['{events: {bad: "b{", total: a}}', 'spec.objectives.0.indicator.events.bad: "b{" '],
    ['{latency: {histogram: h, matchers: "le=\\"1\\"", atMost: 1s}}', 'chooses le; atMost does'],
    ['{latency: {histogram: h, matchers: "job=\\"a\\", le!=\\"1\\"", atMost: 1s}}', 'chooses le; atMost does'],
    ['{latency: {histogram: h, matchers: "job", atMost: 1s}}', 'indicator.latency.matchers: "job" '],
    ['{latency: {histogram: "h{", atMost: 1s}}', '"h{" is not a metric name'],
  ])('is told that the indicator %s is none', (indicator, message) => {
    const yaml = oneObjective().replace(/indicator: .*/, `indicator: ${indicator}`);
    expect(problemsIn(yaml)).toContain(message);
  });
});

describe('a field of a service level', () => {
  const metric = '{events: {bad: b, total: a}, loadtest: {metric: availability}}';
  const alert = '{severity: page, burn: 2, long: 1h, short: 5m}';
  it.each<[string | RegExp, string, string]>([
    ['name: reading', 'name: 5', 'metadata.name: 5 is not a name'],
    ['name: reading', 'name: a_b', 'metadata.name: "a_b" is not lower-case letters, digits and hyphens'],
    ['{name: reading}', '{name: reading, description: 5}', 'metadata.description: 5 is not a sentence'],
    ['ServiceLevel', 'SLO', 'kind: "SLO" is not '],
    ['name: availability', 'name: availability\n      description: 5', 'objectives.0.description: 5 is not a sentence'],
    ['99.9%', '99', 'spec.objectives.0.target: 99 is not a percentage such as 99.9%'],
    [
      'bad: bad_total',
      'bad: 5',
      'events.bad: 5 is not a series selector such as requests_total{job="speechfb"}, or PromQL with [$window]',
    ],
    ['bad: bad_total', 'bad: rate(x)', 'events.bad: "rate(x)" has no range, so it is no rate over a window; write'],
    ['total: all_total', 'total: "a{"', 'events.total: "a{" has a bracket that is not closed, or closed twice'],
    [
      /{events.*/,
      '{latency: {histogram: 5, atMost: 1s}}',
      'latency.histogram: 5 is not the name of a histogram, without _bucket',
    ],
    [/{events.*/, '{latency: {histogram: 9h, atMost: 1s}}', 'latency.histogram: "9h" is not a metric name'],
    [/{events.*/, '{latency: {histogram: h, atMost: 0.5ms}}', 'latency.atMost: 0.5 ms is outside 1 ms to 1 h'],
    [/{events.*/, '{latency: {histogram: h, atMost: 61m}}', 'latency.atMost: 61 m is outside 1 ms to 1 h'],
    [/{events.*/, '{latency: {histogram: h, atMost: 1s, unit: min}}', 'latency.unit: "min" is not '],
    [
      /{events.*/,
      '{latency: {histogram: h, atMost: 1s, matchers: 5}}',
      'latency.matchers: 5 is not label matchers such as job="speechfb"',
    ],
    [
      /{events.*/,
      '{latency: {histogram: h, atMost: 1s, matchers: "le = \'1\'"}}',
      'latency.matchers: "le = \'1\'" chooses le; atMost does',
    ],
    [
      /{events.*/,
      metric.replace('availability', 'feedback_latency, atMost: 2h'),
      'indicator.loadtest.atMost: 2 h is outside 1 ms to 1 h',
    ],
    [
      /{events.*/,
      metric.replace('availability', 'feedback_latency'),
      'spec.objectives.0.indicator.loadtest: feedback_latency is a latency and needs atMost',
    ],
    [
      /{events.*/,
      metric.replace('availability', 'availability, atMost: 1s'),
      'spec.objectives.0.indicator.loadtest: availability is a share and takes no atMost',
    ],
    [/$/, '  traffic: 5', 'spec.traffic: 5 is not a rate such as 1200/min'],
    [/$/, '  traffic: 0/s', 'spec.traffic: "0/s" is no traffic: nothing could ever be judged; write a rate above 0'],
    [/$/, '  period: 5', 'spec.period: 5 is not a length of time such as 5m, 1h or 30d'],
    [/$/, '  period: 59m', 'spec.period: is shorter than 3600 s'],
    [/$/, '  noData: 59s', 'spec.noData: is shorter than 60 s'],
    [/$/, '  minimumEvents: -1', 'spec.minimumEvents: -1 is not a whole number from 0 to 1000000000'],
    [/$/, `  alerts: [${alert.replace('5m', '14s')}]`, 'spec.alerts.0.short: is shorter than 15 s'],
    [/$/, `  alerts: [${alert.replace('burn: 2', 'budget: 5')}]`, 'spec.alerts.0.budget: 5 is not a percentage'],
    [/$/, `  alerts: [${alert.replace('burn: 2', 'budget: 0%')}]`, 'spec.alerts.0.budget: "0%" is outside 0% to 100%'],
    [/$/, `  alerts: [${alert.replace('page', 'wake')}]`, 'spec.alerts.0.severity: "wake" is not one of page, ticket'],
    [
      /$/,
      `  alerts: [${alert}, ${alert.replace('2', '1000')}]`,
      'level.yaml:10:60: spec.alerts.1: an alert above a burn of 1,000 can never fire for "availability": at a target of 99.9 % ' +
        'the burn is at most 1,000, when every event is bad; allowed: a burn below that, or a target above 99.9 %',
    ],
    [/$/, '  period: 2d', 'spec.period: the long window of 3 d is longer than the period of 2 d'],
    [/$/, `  period: 50m\n  alerts: [${alert}]`, 'spec.period: is shorter than 3600 s'],
  ])('with %s as %s is told what is wrong', (from, to, message) => {
    expect(problemsIn(oneObjective().replace(from, () => to))).toContain(message);
  });

  it.each([
    ['  alerts:\n    - {severity: ticket, budget: 2%, long: 1h, short: 5m}', { severity: 'ticket', burn: 14.4 }],
    ['  alerts:\n    - {severity: page, budget: 100%, long: 3d, short: 15s}', { burn: 10, tenthsMs: 15_000 }],
    ['  alerts:\n    - {severity: page, burn: 999, long: 1m, short: 15s}', { burn: 999, longMs: 60_000 }],
    ['  period: 28d\n  alerts:\n    - {severity: page, budget: 2%, long: 1h, short: 5m}', { burn: 13.44 }],
  ])('%s is an alert', (spec, alert) => {
    expect(levelOf(oneObjective(spec)).alerts).toEqual([expect.objectContaining(alert)]);
  });

  it('keeps what a file says, and what it leaves out by default', () => {
    expect(levelOf(oneObjective('  traffic: 2/s\n  noData: 10m\n  minimumEvents: 7\n  alerts: []', '90%'))).toEqual({
      name: 'reading',
      service: 'speechfb',
      periodMs: 30 * 86_400_000,
      eventsPerMinute: 120,
      objectives: [
        { name: 'availability', target: 0.9, indicator: { events: { bad: 'bad_total', total: 'all_total' } } },
      ],
      alerts: [],
      minimumEvents: 7,
      noDataMs: 600_000,
    });
    const hour = 3_600_000;
    expect(levelOf(oneObjective())).toMatchObject({
      eventsPerMinute: undefined,
      noDataMs: undefined,
      alerts: [
        { severity: 'page', burn: 14.4, longMs: hour, tenthsMs: hour / 12 },
        { severity: 'page', burn: 6, longMs: 6 * hour, tenthsMs: hour / 2 },
        { severity: 'ticket', burn: 3, longMs: 24 * hour, tenthsMs: 2 * hour },
        { severity: 'ticket', burn: 1, longMs: 72 * hour, tenthsMs: 6 * hour },
      ],
    });
  });
});

describe('the check', () => {
  it('says what fires inside the budget, what one failure fires, and what nothing sees', () => {
    const alerts = '  alerts: [{severity: ticket, burn: 0.5, long: 3d, short: 2d}]';
    expect(findingsOf(oneObjective(alerts))).toEqual([
      expect.stringContaining('fires inside the budget'),
      expect.stringContaining('one failure alone is above the threshold below 2,000 events'),
      expect.stringContaining('the short window hardly ends the alert sooner'),
    ]);
    const fast = '  alerts: [{severity: page, budget: 2%, long: 1h, short: 5m}]\n  minimumEvents: 100';
    expect(findingsOf(oneObjective(fast))).toEqual([
      'a steady burn of 14.4 empties the budget in 2 d 2 h and fires nothing',
    ]);
    expect(findingsOf(oneObjective('  alerts: []'))).toEqual(['has no alert']);
  });

  it('weighs the quiet hour against the minimum of events', () => {
    const quiet = '  alerts: [{severity: page, burn: 1, long: 1h, short: 5m}]\n  traffic: 1/min';
    expect(findingsOf(oneObjective(quiet))).toEqual([
      expect.stringContaining('60 events in 1 h: one failure fires it; write minimumEvents: 1000'),
    ]);
    expect(findingsOf(oneObjective(`${quiet}\n  minimumEvents: 1000`))).toEqual([
      expect.stringContaining('minimumEvents 1000 silences it in a quiet hour, which has 60 events'),
    ]);
    expect(findingsOf(oneObjective(quiet.replace('1/min', '20/s')))).toEqual([]);
  });
});

it('a service level takes what lies at the edge of what it may say', () => {
  const edge = '  period: 3d\n  alerts: [{severity: page, burn: 2, long: 3d, short: 1m}]\n  noData: 1m';
  expect(levelOf(oneObjective(edge))).toMatchObject({
    periodMs: 3 * 86_400_000,
    noDataMs: 60_000,
    minimumEvents: 0,
    alerts: [{ severity: 'page', burn: 2 }],
  });
  const matchers = oneObjective().replace(
    /indicator: .*/,
    'indicator: {latency: {histogram: h, matchers: \'module="1",length="1"\', atMost: 1s}}',
  );
  expect(levelOf(matchers).objectives[0]!.indicator.latency).toEqual({
    histogram: 'h',
    matchers: 'module="1",length="1"',
    atMost: 1000,
    unit: 's',
  });
});

function problemsIn(yaml: string): string {
  return problemsOf(() => levelOf(yaml));
}

function findingsOf(yaml: string): string[] {
  return checkServiceLevel(levelOf(yaml)).findings.map((finding) => finding.message);
}
