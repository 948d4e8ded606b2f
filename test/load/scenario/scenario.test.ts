import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../../../src/config/yaml.ts';
import { loadScenario, readScenario, scenarioJsonSchema } from '../../../src/load/scenario/scenario.ts';
import { problemsOf } from '../../kit/problems.ts';
import { temporaryDirectory } from '../../kit/temporary-directory.ts';

const quickstart = readFileSync('scenarios/quickstart.yaml', 'utf8');

describe('the quickstart scenario', () => {
  it('is valid, with durations in ms and an absolute manifest path', () => {
    const { spec, metadata } = readScenario('scenarios/quickstart.yaml');
    expect(metadata.name).toBe('quickstart');
    expect(spec).toMatchObject({ duration: 25_000, drain: 5000, load: { learners: 20, ramp: 3000 } });
    expect(spec.learners.clips).toEqual([{ manifest: `${process.cwd()}/fixtures/audio/manifest.jsonl` }]);
    expect(spec.objectives[0]).toMatchObject({ aggregation: 'quantile', p: 0.95, bound: 500 });
  });

  it('fits the published JSON Schema, which is current', () => {
    const published: object = JSON.parse(readFileSync('schemas/scenario.schema.json', 'utf8'));
    expect(published).toEqual(JSON.parse(JSON.stringify(scenarioJsonSchema())));
    const validate = new Ajv2020().compile(published);
    expect(validate(parse(quickstart)), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ ...parse(quickstart), kind: 'Pod' })).toBe(false);
  });
});

it('objectives choose profiles of the mix, whatever their case', () => {
  const mixed = quickstart
    .replace(
      'seed: 1',
      'cost: { server: $1.20/h }\n  mix: [{ network: LTE, weight: 60% }, { network: none, weight: 40% }]',
    )
    .replace(
      'lost_frames == 0',
      'cost_per_audio_minute <= $0.015\n    - goodput{profile=lte} >= 95%\n    - goodput{profile=direct} >= 95%',
    );
  const { spec } = parseConfig('x.yaml', mixed, loadScenario);
  expect(spec.cost).toEqual({ server: expect.closeTo(1.2, 9), servers: 1 });
  expect(spec.objectives.map(({ selector }) => selector.profile)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    'lte',
    'direct',
  ]);
});

describe('a scenario with a mistake', () => {
  it.each([
    [
      'an unknown key',
      'pause: 500ms',
      'pausse: 500ms',
      '14:5: spec.learners: unknown key "pausse" (did you mean "pause"?)',
    ],
    ['a bare number for a duration', 'ramp: 3s', 'ramp: 3', '17:11: spec.load.ramp: 3 is not a duration'],
    [
      'a wrong unit',
      'duration: 25s',
      'duration: 25sec',
      '18:13: spec.duration: duration "25sec" has the unknown unit "sec"',
    ],
    [
      'a duration out of range',
      'frame: 20ms',
      'frame: 5ms',
      '12:12: spec.learners.frame: 5 ms is outside 10 ms to 1 s',
    ],
    [
      'a frame that speechfb does not take',
      'frame: 20ms',
      'frame: 200ms',
      '12:12: spec.learners.frame: 200 ms is outside 10 ms to 100 ms, which speechfb takes',
    ],
    [
      'a wrong kind',
      'kind: LoadScenario',
      'kind: LoadScenrio',
      '4:7: kind: "LoadScenrio" is not allowed; allowed: LoadScenario',
    ],
    [
      'no learners',
      'learners: 20',
      'learners: 0',
      '16:15: spec.load.learners: 0 is not a whole number from 1 to 100000',
    ],
    [
      'a metric that is not there',
      'feedback_latency)',
      'feedbck_latency)',
      '21:7: spec.objectives.0: objective "p95(feedbck_latency) < 500ms" names the unknown metric "feedbck_latency" (did you mean "feedback_latency"?)',
    ],
    [
      'an objective on a profile that nobody has',
      'availability >=',
      'availability{profile=lte} >=',
      '23:7: spec.objectives.2: selects profile=lte, which nobody has; allowed: direct',
    ],
    [
      'an objective on a profile that is spelt wrong',
      '  seed: 1\n  objectives:\n    - p95(feedback_latency)',
      '  seed: 1\n  mix: [{ network: LTE, weight: 60% }, { network: none, weight: 40% }]\n  objectives:\n    - p95(feedback_latency){profile=LTEE}',
      '22:7: spec.objectives.0: selects profile=LTEE, which nobody has (did you mean "LTE"?); allowed: LTE, direct',
    ],
    [
      'an objective on a phase of a load without any',
      'availability >=',
      'availability{phase=spike} >=',
      '23:7: spec.objectives.2: selects phase=spike, but the load has no phases; write them in spec.load.phases',
    ],
    [
      'an objective on a phase that is spelt wrong',
      '  load:\n    learners: 20\n    ramp: 3s\n  duration: 25s\n  seed: 1\n  objectives:\n    - p95(feedback_latency)',
      '  load: { phases: [{ name: base, duration: 5s, learners: 2 }, { name: spike, duration: 5s, learners: 3x }] }\n  objectives:\n    - p95(feedback_latency){phase=spik}',
      '17:7: spec.objectives.0: selects phase=spik, which never comes (did you mean "spike"?); allowed: base, spike',
    ],
    [
      'an objective with an unknown label',
      'availability >=',
      'availability{network=lte} >=',
      '23:7: spec.objectives.2: objective "availability{network=lte} >= 99%" has the unknown label "network"; allowed: profile, language, phase, tenant',
    ],
    [
      'a cost without a price',
      'lost_frames == 0',
      'cost_per_audio_minute <= $0.015',
      '25:7: spec.objectives.4: needs a price; write spec.cost: {server: $1.20/h}',
    ],
    [
      'a price without a unit',
      'seed: 1',
      'cost: { server: $1.20 }',
      '19:19: spec.cost.server: price "$1.20" has no unit; allowed: /min, /h',
    ],
    ['a price of none', 'seed: 1', 'cost: { servers: 3 }', '19:9: spec.cost: has no price; write server: $1.20/h'],
    [
      'two prices',
      'seed: 1',
      'cost: { server: $1.20/h, capacity: x.yaml }',
      '19:38: spec.cost.capacity: contradicts server: two prices; keep one',
    ],
    ['a ramp as long as the test', 'ramp: 3s', 'ramp: 25s', '17:11: spec.load.ramp: is not shorter than the duration'],
    [
      'an http URL',
      'target: {}',
      'target: { url: "http://x" }',
      '9:18: spec.target.url: "http://x" is not a WebSocket URL',
    ],
    [
      'a missing part',
      '    clips: ../fixtures/audio/manifest.jsonl\n',
      '',
      'spec.learners.clips: is missing; write the path of a clip manifest, or a list such as [{manifest',
    ],
    ['broken YAML', 'kind: LoadScenario', 'kind: [LoadScenario', '5:1: is indented otherwise'],
  ])('%s is reported where it stands', (_, before, after, expected) => {
    expect(problemsIn(quickstart.replace(before, after))).toContain(
      `x.yaml:${expected}`.replace('x.yaml:spec', 'spec'),
    );
  });

  it('has all of its problems reported at once, in the order of the file', () => {
    const broken = quickstart.replace('ramp: 3s', 'ramp: 3').replace('seed: 1', 'sed: 1').replace('== 0', '= 0');
    const lines = problemsIn(broken).split('\n');
    expect(lines[0]).toBe('speechfb: x.yaml has 3 problems [bad_config]');
    expect(lines.slice(1).map((line) => line.trim().split(':')[1])).toEqual(['17', '19', '24']);
  });

  it('that cannot be read says so', () => {
    expect(() => readScenario('scenarios/none.yaml')).toThrow('cannot read the scenario "scenarios/none.yaml"');
  });
});

function problemsIn(source: string): string {
  return problemsOf(() => parseConfig('x.yaml', source, loadScenario));
}

it('a k6 script is told what a scenario is', () => {
  const file = join(temporaryDirectory(), 'script.js');
  writeFileSync(file, "import ws from 'k6/ws';\nexport default function () {}\n");
  expect(() => readScenario(file)).toThrow('is a k6 script; a scenario is YAML of kind LoadScenario');
});
