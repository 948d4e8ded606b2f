import { describe, expect, it } from 'vitest';
import { parseDocuments } from '../../../src/config/documents.ts';
import { parseConfig } from '../../../src/config/yaml.ts';
import { renamedLoadKeys } from '../../../src/load/scenario/load-schema.ts';
import { loadScenario } from '../../../src/load/scenario/scenario.ts';
import { problemsOf } from '../../kit/problems.ts';

const good = `apiVersion: speechfb.dev/v1alpha1
kind: LoadScenario
metadata: { name: spike }
spec:
  target: { embedded: { maxSessions: 300, limits: { idle_timeout_ms: 30000 } } }
  learners:
    clips:
      - { manifest: a.jsonl, weight: 70% }
      - { manifest: b.jsonl, weight: 30% }
    pause: 500ms..3s
    vadGating: { hangover: 400ms }
  networks:
    commute: { extends: LTE, up: { loss: 1% } }
  mix:
    - { network: commute, weight: 60% }
    - { network: 3G, weight: 40% }
  load:
    session: 30s..60s
    phases:
      - { name: base, duration: 40s, learners: 20, ramp: 5s }
      - { name: spike, duration: 20s, learners: 3x }
  faults:
    - reconnect: { at: 50s, learners: 30% }
    - stallInference: { every: 20s, for: 2s }
  warmup: 5s
  objectives:
    - p95(feedback_latency) < 500ms
    - { expression: availability >= 99%, abortOnFail: true, delay: 10s }
`;

it('a scenario with every section is good', () => {
  const { spec } = parseConfig('x.yaml', good, loadScenario);
  expect(spec.duration).toBe(60_000);
  expect(spec.learners.vadGating).toEqual({ hangover: 400, lead: 200 });
  expect(spec.learners.pause).toEqual({ leastMs: 500, mostMs: 3000 });
  expect(spec.objectives[0]).toMatchObject({ metric: 'feedback_latency', abortOnFail: false, delayMs: 0 });
  expect(spec.objectives[1]).toMatchObject({ metric: 'availability', abortOnFail: true, delayMs: 10_000 });
  expect(spec.mix?.map(({ weight }) => weight.value)).toEqual([0.6, 0.4]);
});

describe.each<[string, [sentence: string, before: string, after: string, expected: string][]]>([
  [
    'in when a test may be aborted',
    [
      [
        'a delay as long as the test',
        'delay: 10s',
        'delay: 60s',
        '28:68: spec.objectives.1.delay: 60000 ms is not before the end of the test at 60000 ms: nothing would abort it',
      ],
    ],
  ],
  [
    'in the mix of networks',
    [
      [
        'an unknown network',
        'network: 3G',
        'network: 3GG',
        '16:18: spec.mix.1.network: no network is called "3GG" (did you mean "3G"?)',
      ],
      [
        'a weight of 0',
        'commute, weight: 60%',
        'commute, weight: 0%',
        '15:35: spec.mix.0.weight: is 0: nobody would have it',
      ],
      [
        'weights that do not sum to 100 %',
        'commute, weight: 60%',
        'commute, weight: 50%',
        '15:5: spec.mix: has weights that sum to 90%; percentages must sum to 100%',
      ],
      [
        'percentages beside plain numbers',
        'commute, weight: 60%',
        'commute, weight: 3',
        '15:5: spec.mix: mixes percentages with plain numbers',
      ],
      [
        'a weight that is none',
        'commute, weight: 60%',
        'commute, weight: lots',
        '15:35: spec.mix.0.weight: "lots" is not a percentage',
      ],
      [
        'a weight below 0',
        'commute, weight: 60%',
        'commute, weight: -1',
        'spec.mix.0.weight: -1 is not a weight from 0',
      ],
      [
        'one network twice',
        'network: 3G',
        'network: Commute',
        '16:18: spec.mix.1.network: "Commute" is already in the mix',
      ],
      [
        'an own network on top of none',
        'extends: LTE',
        'extends: LTEE',
        '13:25: spec.networks.commute.extends: no network is called "LTEE" (did you mean "LTE"?)',
      ],
    ],
  ],
  [
    'in the learners',
    [
      [
        'a pause that ends before it begins',
        '500ms..3s',
        '3s..500ms',
        '10:12: spec.learners.pause: "3s..500ms" ends before it begins',
      ],
      ['a pause of hours', '500ms..3s', '1h..2h', '10:12: spec.learners.pause: 1 h to 2 h is outside 0 ms to 10 m'],
      ['a pause of three ends', '500ms..3s', '1s..2s..3s', '"1s..2s..3s" has more than two ends'],
      ['a pause without a unit', '500ms..3s', '500..3000', '10:12: spec.learners.pause: duration "500" has no unit'],
      [
        'both a pause and a duty cycle',
        'pause: 500ms..3s',
        'pause: 1s\n    dutyCycle: 40%',
        '11:16: spec.learners.dutyCycle: contradicts pause: both say how long a learner is silent',
      ],
      ['a clip mix without weights', ', weight: 30% }', ' }', '9:9: spec.learners.clips.1: has no weight'],
      [
        'a clip mix whose weights do not fit',
        'weight: 30%',
        'weight: 31%',
        '8:7: spec.learners.clips: has weights that sum to 101%',
      ],
      [
        'a clip mix with an unknown key',
        'manifest: b.jsonl',
        'manifest: b.jsonl, lang: de',
        '9:30: spec.learners.clips.1: unknown key "lang"',
      ],
      [
        'gating that is no setting',
        '{ hangover: 400ms }',
        'maybe',
        '11:16: spec.learners.vadGating: "maybe" is not true, false or {hangover: 300ms',
      ],
      [
        'gating with a bare number',
        '{ hangover: 400ms }',
        '{ hangover: 400 }',
        '11:28: spec.learners.vadGating.hangover: 400 is not a duration',
      ],
      [
        'an interruption share above 1',
        'pause: 500ms..3s',
        'bargeIn: 101%',
        '10:14: spec.learners.bargeIn: 101% is outside 0% to 100%',
      ],
    ],
  ],
  [
    'in the load',
    [
      [
        'learners beside phases',
        '    session',
        '    learners: 5\n    session',
        '18:15: spec.load.learners: contradicts phases',
      ],
      [
        'a phase of both',
        'learners: 3x',
        'learners: 3x, rate: 2/s',
        '21:9: spec.load.phases.1: has both learners and rate',
      ],
      [
        'a phase of neither',
        ', learners: 3x',
        '',
        '21:9: spec.load.phases.1: says neither learners nor rate; to go on as before, write 1x',
      ],
      [
        'phases of two units',
        'learners: 3x',
        'rate: 2/s',
        '21:45: spec.load.phases.1.rate: contradicts the phases before, which say learners',
      ],
      [
        'a multiple of nothing',
        'learners: 20',
        'learners: 2x',
        '20:48: spec.load.phases.0.learners: is a multiple, but there is no phase before',
      ],
      [
        'a multiple of 0',
        'learners: 20, ramp',
        'learners: 0, ramp',
        '21:49: spec.load.phases.1.learners: is a multiple of 0',
      ],
      [
        'a multiple that is none',
        '3x',
        'x3',
        '21:49: spec.load.phases.1.learners: "x3" is not a multiple of the phase before; write it as 3x, up to 1000x',
      ],
      [
        'a ramp longer than its phase',
        'ramp: 5s',
        'ramp: 50s',
        '20:58: spec.load.phases.0.ramp: is longer than its phase',
      ],
      [
        'two phases of one name',
        'name: spike,',
        'name: base,',
        '21:17: spec.load.phases.1.name: "base" is already phase 1',
      ],
      [
        'a rate without a session',
        '    session: 30s..60s\n',
        '    arrivals: poisson\n',
        '18:15: spec.load.arrivals: goes with a rate',
      ],
      [
        'a rate of another unit',
        'learners: 20, ramp: 5s',
        'rate: 2/d',
        '20:44: spec.load.phases.0.rate: rate "2/d" has the unknown unit "/d"; allowed: /s, /min, /h',
      ],
      [
        'a duration that the phases contradict',
        '  warmup',
        '  duration: 50s\n  warmup',
        '25:13: spec.duration: is 50000 ms, but the phases take 60000 ms together',
      ],
      [
        'an unknown way of arriving',
        'session: 30s..60s',
        'arrivals: gauss',
        '18:15: spec.load.arrivals: "gauss" is not allowed; allowed: even, poisson',
      ],
    ],
  ],
  [
    'in the faults',
    [
      [
        'one after the end',
        'at: 50s',
        'at: 70s',
        '23:24: spec.faults.0.reconnect.at: 70000 ms is after the end of the test at 60000 ms',
      ],
      [
        'one that never comes round',
        'every: 20s',
        'every: 60s',
        '24:32: spec.faults.1.stallInference.every: 60000 ms is longer than the test',
      ],
      [
        'an unknown one',
        'reconnect:',
        'reconect:',
        '23:7: spec.faults.0: unknown key "reconect" (did you mean "reconnect"?)',
      ],
      ['one that says no time', 'at: 50s, ', '', '23:18: spec.faults.0.reconnect: says neither at nor every'],
      [
        'an app that loses nothing',
        'stallInference: { every: 20s, for: 2s }',
        'dropMessages: { every: 20s, for: 2s, share: 0% }',
        '24:51: spec.faults.1.dropMessages.share: is 0%: it would lose nothing',
      ],
      [
        'an app that loses more than all',
        'stallInference: { every: 20s, for: 2s }',
        'dropMessages: { every: 20s, for: 2s, share: 110% }',
        'spec.faults.1.dropMessages.share: 110% is outside 0% to 100%',
      ],
      [
        'an app that loses for no time',
        'stallInference: { every: 20s, for: 2s }',
        'dropMessages: { every: 20s, share: 10% }',
        'spec.faults.1.dropMessages.for: is missing',
      ],
      ['one that says two', 'every: 20s', 'at: 5s, every: 20s', 'spec.faults.1.stallInference.every: contradicts at'],
      [
        'one of the server against a URL',
        'target: { embedded: { maxSessions: 300, limits: { idle_timeout_ms: 30000 } } }',
        'target: { url: "ws://x" }',
        '24:23: spec.faults.1.stallInference: needs the embedded server, but target.url is given',
      ],
      [
        'one for a network that nobody has',
        'learners: 30%',
        'learners: 30%, network: Edge',
        '23:53: spec.faults.0.reconnect.network: "Edge" is not in the mix: commute, 3G',
      ],
      [
        'one that hits nobody',
        'learners: 30%',
        'learners: 0%',
        '23:39: spec.faults.0.reconnect.learners: is 0%: it would hit nobody',
      ],
    ],
  ],
  [
    'in the target',
    [
      [
        'options of the embedded server beside a URL',
        'target: {',
        'target: { url: "ws://x",',
        'spec.target.embedded: is for a server that the test starts',
      ],
      [
        'an unknown limit',
        'idle_timeout_ms',
        'idle_timeout',
        'spec.target.embedded.limits.idle_timeout: is not a limit of the server (did you mean "idle_timeout_ms"?)',
      ],
      [
        'a limit beyond its range',
        'idle_timeout_ms: 30000',
        'max_utilisation: 5',
        'spec.target.embedded.limits.max_utilisation: 5 is not allowed; allowed: a number from 0.1 to 1',
      ],
      [
        'a limit that is no number',
        'idle_timeout_ms: 30000',
        'idle_timeout_ms: 30s',
        'spec.target.embedded.limits.idle_timeout_ms: "30s" is not a number',
      ],
      [
        'TLS without wss',
        'target: { embedded: { maxSessions: 300, limits: { idle_timeout_ms: 30000 } } }',
        'target: { url: "ws://x", tls: { insecure: true } }',
        '5:33: spec.target.tls: is for wss:// URLs',
      ],
    ],
  ],
  [
    'in the objectives and the warm-up',
    [
      [
        'a warm-up as long as the test',
        'warmup: 5s',
        'warmup: 60s',
        '25:11: spec.warmup: is not shorter than the test',
      ],
      [
        'a network that nobody has',
        'p95(feedback_latency)',
        'p95(feedback_latency){profile=4G}',
        '27:7: spec.objectives.0: selects profile=4G, which nobody has (did you mean "3G"?); allowed: commute, 3G',
      ],
      [
        'an unknown key of an objective',
        'abortOnFail',
        'abortOnFial',
        '28:42: spec.objectives.1: unknown key "abortOnFial" (did you mean "abortOnFail"?)',
      ],
      [
        'the same twice',
        '    - { expression',
        '    - p95( feedback_latency ) < 500ms\n    - { expression',
        '28:7: spec.objectives.1: is the same as objective 1; keep one',
      ],
      [
        'a bound that nothing can be below',
        '< 500ms',
        '< 0ms',
        '27:7: spec.objectives.0: objective "p95(feedback_latency) < 0ms" can never be met; allowed: a bound above 0',
      ],
      [
        'a promise of nothing',
        'availability >= 99%',
        'availability >= 0%',
        'objective "availability >= 0%" is always met: it promises nothing; allowed: a bound above 0%',
      ],
      [
        'an unknown metric in a mapping',
        'availability >=',
        'availabilty >=',
        'spec.objectives.1.expression: objective "availabilty >= 99%" names the unknown metric',
      ],
    ],
  ],
])('a mistake %s', (_, rows) => {
  it.each(rows)('%s is reported where it stands', (_sentence, before, after, expected) => {
    expect(good).toContain(before);
    expect(problemsIn(good.replace(before, after))).toContain(expected);
  });
});

it('the old name of a key is refused with the new one, and what stands under it is still checked', () => {
  const old = good.replace('phases:', 'stages:');
  const read = (text: string) => () => parseDocuments('x.yaml', text, 'LoadScenario', loadScenario, renamedLoadKeys);
  const problems = [{ where: 'x.yaml:19:5', message: 'spec.load.stages: is called "phases" now' }];
  expect(read(old)).toThrow(expect.objectContaining({ code: 'bad_config', problems }));
  const message =
    'spec.load.phases.1.learners: "x3" is not a multiple of the phase before; write it as 3x, up to 1000x';
  const both = [...problems, { where: 'x.yaml:21:49', message }];
  expect(read(old.replace('learners: 3x', 'learners: x3'))).toThrow(expect.objectContaining({ problems: both }));
});

it('empty lists are errors, and so is a rate of arrivals without a session', () => {
  expect(problemsIn(good.replace(/phases:\n.*\n.*\n/, 'phases: []\n'))).toContain('19:13: spec.load.phases: is empty');
  expect(problemsIn(good.replace(/mix:\n.*\n.*\n/, 'mix: []\n'))).toContain(
    '14:8: spec.mix: is empty: nobody would be on any network',
  );
  expect(
    problemsIn(good.replace(/session.*\n/, 'rate: 2/s\n').replace(/ {4}phases:\n.*\n.*\n/, '  duration: 60s\n')),
  ).toContain('18:5: spec.load: has a rate of arrivals but no session');
});

it('problems of all sections are reported at once, also beside those of single fields', () => {
  const broken = good
    .replace('network: 3G', 'network: 3GG')
    .replace('3x', '3y')
    .replace('at: 50s', 'at: 70s')
    .replace('warmup: 5s', 'warmup: 5');
  const lines = problemsIn(broken).split('\n');
  expect(lines[0]).toBe('speechfb: x.yaml has 4 problems [bad_config]');
  expect(lines.slice(1).map((line) => line.trim().split(':')[1])).toEqual(['16', '21', '23', '25']);
});

function problemsIn(source: string): string {
  return problemsOf(() => parseConfig('x.yaml', source, loadScenario));
}
