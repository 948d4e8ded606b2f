import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../../../src/config/yaml.ts';
import { canaryFile, canaryJsonSchema, canaryOf } from '../../../src/slo/canary/canary.ts';
import { problemsOf } from '../../kit/problems.ts';

const shipped = readFileSync('slo/canary.yaml', 'utf8');

describe('a canary file', () => {
  it('fits the published JSON Schema, which is current', () => {
    const published: object = JSON.parse(readFileSync('schemas/canary.schema.json', 'utf8'));
    expect(published).toEqual(JSON.parse(JSON.stringify(canaryJsonSchema())));
    const validate = new Ajv2020().compile(published);
    expect(validate(parse(shipped)), JSON.stringify(validate.errors)).toBe(true);
  });

  it('of which only the least is written has its defaults', () => {
    const least = `kind: CanaryAnalysis
metadata: {name: least}
spec:
  target: 99%
  traffic: 60/min
  steps: [{share: 10%, hold: 10m}]
  rollback: {burn: 2, for: 10m, mode: consecutive}
`;
    expect(canaryOf(parseConfig('canary.yaml', least, canaryFile))).toEqual({
      name: 'least',
      target: 0.99,
      eventsPerMinute: 60,
      steps: [{ share: 0.1, holdMs: 600_000 }],
      rollback: { burn: 2, forMs: 600_000, everyMs: 60_000, mode: 'consecutive' },
      detect: 4,
      sequential: { worse: 2, alpha: 0.01, beta: 0.2 },
      latency: { margin: 0.05, confidence: 0.95 },
      minimumEvents: 100,
      unit: 'event',
      eventsPerUnit: undefined,
      indicator: undefined,
      versions: undefined,
    });
    const described = least
      .replace('{name: least}', '{name: least, description: a sentence}')
      .replace('kind', 'apiVersion: speechfb.dev/v1alpha1\nkind')
      .concat('  versions: {baseline: track="stable", canary: track="canary"}\n');
    expect(canaryOf(parseConfig('canary.yaml', described, canaryFile)).versions).toEqual({
      baseline: 'track="stable"',
      canary: 'track="canary"',
    });
  });

  it.each([
    ['steps that are none', /steps:[\s\S]*?(?= {2}rollback)/, 'steps: all\n', /spec\.steps: is not a list of steps/],
    ['no step', /steps:[\s\S]*?(?= {2}rollback)/, 'steps: []\n', /spec\.steps: is empty/],
    ['a burn of nothing', 'burn: 2', 'burn: 0', /spec\.rollback\.burn: 0 is not above 0/],
    ['equal steps', 'share: 25%', 'share: 5%', /spec\.steps\.1\.share: is not above 5 ?%, the step before/],
    ['another kind', 'kind: CanaryAnalysis', 'kind: Pod', /:\d+:7: kind: /],
    ['a detection of no change', /$/, '  detect: 1\n', /spec\.detect: 1 is not a number above 1 such as 4/],
    ['a detection in words', /$/, '  detect: all\n', /spec\.detect: "all" is not a number above 1 such as 4/],
  ])('with %s is refused', (_, from, to, message) => {
    const bare = shipped.replace(/^ {2}detect:.*\n/m, '');
    expect(problemsIn(bare.replace(from, to))).toMatch(message);
  });

  it.each([
    [
      'no reading',
      ', mode: window',
      '',
      /:24:13: spec\.rollback\.mode: is missing: "burn above 2 for 10m" reads two ways; allowed: window .*consecutive/,
    ],
    ['an unknown reading', 'mode: window', 'mode: avg', /spec\.rollback\.mode: "avg": "burn above/],
    ['steps that go back', 'share: 25%', 'share: 4%', /spec\.steps\.1\.share: is not above 5 %, the step before/],
    [
      'a burn that cannot be',
      'burn: 2',
      'burn: 200',
      /spec\.rollback\.burn: can never be exceeded: at a target of 99 % the burn is at most 100/,
    ],
    [
      'a step that ends before the rule can trip',
      'share: 25%, hold: 30m',
      'share: 25%, hold: 5m',
      /spec\.steps\.1\.hold: 5 m ends before the rollback rule has seen its 10 m: it can never trip here/,
    ],
    ['a burn that is a word', 'burn: 2', 'burn: two', /spec\.rollback\.burn: "two" is not a number such as 2/],
    ['a broken interval', 'every: 1m', 'every: 3m', /spec\.rollback\.for: is not a whole number of intervals/],
    ['a promise of 100 %', 'target: 99%', 'target: 100%', /spec\.target: "100%" leaves no error budget/],
    [
      'no traffic',
      'traffic: 1200/min',
      'traffic: 0/min',
      /spec\.traffic: "0\/min" is no traffic: nothing could ever be judged/,
    ],
    [
      'traffic without a unit',
      'traffic: 1200/min',
      'traffic: "1200"',
      /spec\.traffic: rate "1200" has no unit; allowed: \/s, \/min, \/h/,
    ],
  ])('with %s is refused at its line', (_, from, to, message) => {
    expect(shipped).toContain(from);
    expect(problemsIn(shipped.replace(from, to))).toMatch(message);
  });

  const least = `kind: CanaryAnalysis
metadata: {name: least}
spec:
  target: 99%
  traffic: 60/min
  steps: [{share: 10%, hold: 10m}]
  rollback: {burn: 2, for: 10m, mode: window}
`;

  it.each([
    ['target: 99%', 'target: 99', 'spec.target: 99 is not a percentage such as 99%'],
    ['target: 99%', 'target: 0%', 'spec.target: "0%" is outside 0% to 100%'],
    ['60/min', '60', 'spec.traffic: 60 is not a rate such as 1200/min'],
    ['share: 10%', 'share: 10', 'spec.steps.0.share: 10 is not a percentage such as 5%'],
    ['share: 10%', 'share: 0%', 'spec.steps.0.share: "0%" is outside 0% to 100%'],
    ['hold: 10m', 'hold: 0.5s', 'spec.steps.0.hold: 500 ms is outside 1 s to 720 h'],
    ['hold: 10m', 'hold: 721h', 'spec.steps.0.hold: 721 h is outside 1 s to 720 h'],
    ['for: 10m', 'for: 25h', 'spec.rollback.for: 25 h is outside 1 s to 24 h'],
    ['for: 10m', 'for: 10m, every: 0.5s', 'spec.rollback.every: 500 ms is outside 1 s to 24 h'],
    ['for: 10m', 'for: 90s', 'spec.rollback.for: is not a whole number of intervals (every)'],
    ['for: 10m', 'for: 10m, every: 3m', 'spec.rollback.for: is not a whole number of intervals (every)'],
    ['burn: 2', 'burn: -2', 'spec.rollback.burn: -2 is not above 0'],
    ['burn: 2', 'burn: []', 'spec.rollback.burn: [] is not a number such as 2'],
    ['burn: 2', 'burn: 100', 'spec.rollback.burn: can never be exceeded: at a target of 99 % the burn is at most 100'],
    [
      'mode: window',
      'mode: both',
      'spec.rollback.mode: "both": "burn above 2 for 10m" reads two ways; allowed: window (the share over the trailing ' +
        'window), consecutive (every interval by itself, in a row)',
    ],
    [
      ', mode: window',
      '',
      'spec.rollback.mode: is missing: "burn above 2 for 10m" reads two ways; allowed: window (the share over the trailing ' +
        'window), consecutive (every interval by itself, in a row)',
    ],
    [
      'hold: 10m}',
      'hold: 9m}',
      'spec.steps.0.hold: 9 m ends before the rollback rule has seen its 10 m: it can never trip here',
    ],
    [
      'hold: 10m}',
      'hold: 10m}, {share: 20%, hold: 20m}, {share: 15%, hold: 20m}',
      'spec.steps.2.share: is not above 20 %, the step before',
    ],
    [/$/, '  unit: minute\n', 'spec.unit: "minute" is not '],
    [/$/, '  eventsPerUnit: many\n', 'spec.eventsPerUnit: "many" is not a number such as 30'],
    [/$/, '  eventsPerUnit: 0.5\n', 'spec.eventsPerUnit: 0.5 is below 1'],
    [/$/, '  sequential: {worse: 1}\n', 'spec.sequential.worse: 1 is not a number above 1 such as 2'],
    [/$/, '  sequential: {alpha: 1}\n', 'spec.sequential.alpha: 1 is not a percentage such as 1%'],
    [/$/, '  sequential: {beta: 1}\n', 'spec.sequential.beta: 1 is not a percentage such as 20%'],
    [/$/, '  latency: {margin: 1}\n', 'spec.latency.margin: 1 is not a percentage such as 5%'],
    [/$/, '  latency: {confidence: 1}\n', 'spec.latency.confidence: 1 is not a percentage such as 95%'],
    [/$/, '  minimumEvents: 0\n', 'spec.minimumEvents: 0 is not a whole number from 1 to 1000000000'],
    [/$/, '  versions: {baseline: v, canary: w="1"}\n', 'spec.versions.baseline: "v" is not label matchers such as '],
    [/$/, '  indicator: {}\n', 'spec.indicator: needs exactly one of latency, events'],
    ['{name: least}', '{name: 5}', 'metadata.name: 5 is not a name'],
    ['{name: least}', '{name: least, description: 5}', 'metadata.description: 5 is not a sentence'],
  ])('with %s as %j is told what is wrong', (from, to, message) => {
    const changed = least.replace(from, to);
    expect(changed).not.toBe(least);
    expect(problemsIn(changed)).toContain(message);
  });

  it.each([
    ['60/min', '1/s', { eventsPerMinute: 60 }],
    ['share: 10%, hold: 10m', 'share: 100%, hold: 30m', { steps: [{ share: 1, holdMs: 1_800_000 }] }],
    ['burn: 2', 'burn: 99.9', { rollback: { burn: 99.9, forMs: 600_000, everyMs: 60_000, mode: 'window' } }],
    ['for: 10m', 'for: 9m, every: 3m', { rollback: { burn: 2, forMs: 540_000, everyMs: 180_000, mode: 'window' } }],
    [/$/, '  unit: session\n  eventsPerUnit: 1\n', { unit: 'session', eventsPerUnit: 1 }],
    [/$/, '  detect: 1.1\n', { detect: 1.1 }],
    [/$/, '  sequential: {worse: 1.5}\n', { sequential: { worse: 1.5, alpha: 0.01, beta: 0.2 } }],
    [/$/, '  latency: {confidence: 99%}\n', { latency: { margin: 0.05, confidence: 0.99 } }],
    [/$/, '  minimumEvents: 1\n', { minimumEvents: 1 }],
    [/$/, '  indicator: {events: {bad: b, total: a}}\n', { indicator: { events: { bad: 'b', total: 'a' } } }],
  ])('with %s as %j is read', (from, to, changed) => {
    const read = (yaml: string) => canaryOf(parseConfig('canary.yaml', yaml, canaryFile));
    expect(read(least.replace(from, to))).toEqual({ ...read(least), ...changed });
  });
});

function problemsIn(yaml: string): string {
  return problemsOf(() => parseConfig('canary.yaml', yaml, canaryFile));
}
