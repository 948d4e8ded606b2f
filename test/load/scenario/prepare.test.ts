import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withOverrides } from '../../../src/load/scenario/overrides.ts';
import { prepareLoad } from '../../../src/load/scenario/prepare.ts';
import { previewOf } from '../../../src/load/scenario/preview.ts';
import { readScenario } from '../../../src/load/scenario/scenario.ts';
import { loadPreviewText } from '../../../src/report/load/preview.ts';
import { levelChart } from '../../../src/report/terminal/level-chart.ts';
import { createPaint } from '../../../src/report/terminal/paint.ts';
import { problemsOf } from '../../kit/problems.ts';
import { temporaryDirectory } from '../../kit/temporary-directory.ts';

const scratch = temporaryDirectory();
const manifest = resolve('fixtures/audio/manifest.jsonl');
const good = `apiVersion: speechfb.dev/v1alpha1
kind: LoadScenario
metadata: { name: spike }
spec:
  learners:
    clips:
      - { manifest: ${manifest}, only: [monkeys, leader], weight: 1 }
      - { manifest: ${manifest}, only: [service], language: en-GB, weight: 1 }
  networks:
    train: { extends: LTE, up: { trace: { format: mahimahi, file: train.pps } } }
  mix:
    - { network: Train, weight: 50% }
    - { network: 3gfast, weight: 50% }
  load:
    phases:
      - { name: base, duration: 10s, learners: 20, ramp: 2s }
      - { name: spike, duration: 10s, learners: 2x }
  faults:
    - reconnect: { at: 15s, learners: 50%, network: train }
  warmup: 2s
  objectives:
    - p95(feedback_latency) < 500ms
`;
writeFileSync(join(scratch, 'accented'), 'class 0123456789abcd\u00e9f\n');
writeFileSync(join(scratch, 'train.pps'), '10\n20\n30\n');

function scenarioOf(source: string) {
  const file = join(scratch, 'x.yaml');
  writeFileSync(file, source);
  return readScenario(file);
}

describe('a scenario, prepared', () => {
  const prepared = prepareLoad(scenarioOf(good));

  it('has the clips that were chosen, in their languages', () => {
    expect(prepared.clips.map(({ id, language }) => `${id} ${language}`)).toEqual([
      'monkeys en-US',
      'leader en-US',
      'service en-GB',
    ]);
    expect(new Set(prepared.plans.map(({ language }) => language))).toEqual(new Set(['en-US', 'en-GB']));
  });

  it('has the networks of its mix by their own names, traces read', () => {
    expect(Object.keys(prepared.networks).sort()).toEqual(['3GFast', 'train']);
    expect(prepared.networks.train?.up.opportunitiesMs).toEqual([10, 20, 30]);
    const onTrain = prepared.plans.filter(({ network }) => network === 'train').length;
    expect(Math.abs(onTrain - 20)).toBeLessThanOrEqual(1);
    expect(prepared.faults).toMatchObject([{ kind: 'reconnect', atMs: 15_000, learners: { length: 10 } }]);
  });

  it('knows the phases, and how many there are at most', () => {
    expect(prepared.loadPhases).toEqual([
      { name: 'base', beginMs: 0, endMs: 10_000 },
      { name: 'spike', beginMs: 10_000, endMs: 20_000 },
    ]);
    expect(prepared.whole).toEqual({ sessions: 40, peak: 40 });
  });

  it('has the labels of its objectives as the networks are written', () => {
    const selected = good.replace('p95(feedback_latency)', 'p95(feedback_latency){profile=TRAIN}');
    expect(scenarioOf(selected).spec.objectives).toMatchObject([{ selector: { profile: 'train' } }]);
  });

  it('as one of several shards has the whole hash and one of its own', () => {
    const part = prepareLoad(scenarioOf(good), { index: 2, count: 4 });
    expect(part.planHash).toBe(prepared.planHash);
    expect(part.shard).toMatchObject({ index: 2, count: 4 });
    expect(part.plans).toEqual(prepared.plans.filter(({ learner }) => learner % 4 === 1));
    expect(part.whole).toEqual(prepared.whole);
  });

  it('is shown with its load over time, mix, faults and hash', () => {
    const preview = previewOf(scenarioOf(good), prepared);
    expect(preview).toMatchObject({ sessions: 40, peakSessions: 40, durationMs: 20_000, frameMs: 20 });
    expect(Math.max(...preview.concurrency)).toBe(40);
    const shown = loadPreviewText(preview, createPaint(false));
    expect(shown).toContain(`schedule   ${prepared.planHash}`);
    expect(shown).toContain('train over tcp-tls 50 %');
    expect(shown).toMatch(/ {2}spike {2}10\.0 s {2}to 20\.0 s {2}40 learners/);
    expect(shown).toMatch(/15\.0 s {2}reconnect {2}10 learners/);
  });
});

describe('the price of a server', () => {
  const priced = (cost: string) => scenarioOf(good.replace('warmup: 2s', `cost: ${cost}\n  warmup: 2s`));
  const liveClass = resolve('capacity/live-class.yaml');

  it('is that of a self-hosted pod of a capacity scenario, with its overhead', () => {
    const { prices } = prepareLoad(priced(`{ capacity: ${liveClass}, servers: 3 }`));
    expect(prices).toEqual({ server: expect.closeTo(2 * 1.3, 9), servers: 3 });
  });

  it.each([
    ['that is not there', '{ capacity: none.yaml }', 'x.yaml:20:21: spec.cost.capacity: "none.yaml" is not there'],
    ['of another kind', '{ capacity: x.yaml }', 'has no CapacityScenario; it has LoadScenario spike'],
    [
      'that hosts nothing itself',
      '{ capacity: managed.yaml }',
      'managed.yaml:4:34: spec.supply.selfHosted: is missing',
    ],
    ['twice', '{ capacity: both.yaml }', 'both.yaml:9:19: is a second CapacityScenario'],
  ])('is not read from a capacity scenario %s', (_, cost, expected) => {
    const managed = `kind: CapacityScenario
metadata: { name: one }
spec:
  { pod: { streams: 9 }, supply: { managed: { price: $0.02/min } },
    demand: { peakUsers: 9, dutyCycle: 40% } }
`;
    writeFileSync(join(scratch, 'managed.yaml'), managed);
    writeFileSync(join(scratch, 'both.yaml'), `${managed}---\n\n${managed.replace('one', 'two')}`);
    expect(problemsOf(() => prepareLoad(priced(cost)))).toContain(expected);
  });
});

it.each([
  ['hours', 'learners: 90000, ramp', 'spec.load: makes 270,025 hours of learners; allowed: at most 15,000'],
  ['sessions', 'learners: 400, ramp', 'spec.load: makes 2,160,200 sessions; allowed: at most 2,000,000'],
])('more %s than fit into memory are refused before they are planned', (what, level, sentence) => {
  const long = good.replace('base, duration: 10s, learners: 20, ramp', `base, duration: 3h, ${level}`);
  const source = long.replace('spike, duration: 10s', 'spike, duration: 1s');
  const briefly = what === 'sessions' ? source.replace('  load:', '  load:\n    session: 2s') : source;
  expect(problemsOf(() => prepareLoad(scenarioOf(briefly)))).toContain(sentence);
});

it('more shards than sessions are refused', () => {
  const said = problemsOf(() => prepareLoad(scenarioOf(good), { index: 1, count: 41 }));
  expect(said).toContain('--shard 1/41: the test has 40 sessions');
});

describe('what a scenario names and is not there', () => {
  it('is reported all at once, each where it stands', () => {
    writeFileSync(join(scratch, 'bad.pps'), '10\nlater\n');
    writeFileSync(join(scratch, 'empty'), '');
    const source = good
      .replace('only: [monkeys, leader]', 'only: [monkey, leader]')
      .replace('file: train.pps', 'file: none.pps')
      .replace('spec:', 'spec:\n  target: { url: "wss://x", tokenFile: empty, tls: { ca: bad.pps } }');
    const said = problemsOf(() => prepareLoad(scenarioOf(source)));
    expect(said).toMatch(/x\.yaml:8:\d+: "monkey" is not a clip of .* \(did you mean "monkeys"\?\)/);
    expect(said).toMatch(/x\.yaml:11:\d+: cannot read the trace ".*none\.pps"/);
    expect(said).toMatch(/x\.yaml:5:\d+: the first line of ".*empty" is empty/);
    expect(said).toMatch(/x\.yaml:5:\d+: ".*bad\.pps" holds no PEM certificate/);
  });

  it('is told together with every other mistake of the file', () => {
    const source = good
      .replace(`{ manifest: ${manifest}, only: [service], language: en-GB`, '{ manifest: none.jsonl, language: en-GB')
      .replace('spec:', 'spec:\n  target: { url: "wss://x", tokenFile: none.token, tls: { ca: none.pem } }')
      .replace('warmup: 2s', 'warmup: 2');
    const lines = problemsOf(() => scenarioOf(source))
      .split('\n')
      .slice(1);
    expect(lines.map((line) => line.replace(/^.*x\.yaml:(\d+):\d+: /, '$1 '))).toEqual([
      '5 spec.target.tokenFile: "none.token" is not there',
      '5 spec.target.tls.ca: "none.pem" is not there',
      '9 spec.learners.clips.1.manifest: "none.jsonl" is not there',
      '21 spec.warmup: 2 is not a duration; write a number and one of us, ms, s, m, h',
    ]);
  });

  it.each([
    ['a trace with a bad line', 'file: train.pps', 'file: bad.pps', 'bad.pps:2:1: "later" is not a whole number of ms'],
    [
      'a token that no header can carry',
      'spec:',
      'spec:\n  target: { url: "wss://x", tokenFile: accented }',
      'accented" is no token: it has letters that are not ASCII',
    ],
    [
      'frames that are no whole samples',
      'learners:\n    clips',
      'learners:\n    frame: 10.01ms\n    clips',
      'x.yaml:6:12: frames of 10.01 ms are not whole samples',
    ],
    [
      'an objective on a language that nobody speaks',
      'p95(feedback_latency)',
      'p95(feedback_latency){language=fr-FR}',
      'selects language=fr-FR, which nobody speaks; allowed: en-US, en-GB',
    ],
    [
      'an objective on resumed sessions where nothing cuts a socket',
      `    - reconnect: { at: 15s, learners: 50%, network: train }
  warmup: 2s
  objectives:
    - p95(feedback_latency) < 500ms`,
      `    - stallInference: { at: 15s, for: 1s }
  warmup: 2s
  objectives:
    - p95(resume_time) < 500ms`,
      'x.yaml:22:7: spec.objectives.0: waits for resumed sessions, but nothing cuts a socket; add a fault (',
    ],
    [
      'a fault when nobody is there',
      'network: train }',
      'network: train }\n    - cutNetwork: { at: 0s, for: 1s, learners: 5% }',
      'x.yaml:20:7: spec.faults.1: hits nobody',
    ],
  ])('%s is found before anything starts', (_, before, after, expected) => {
    expect(problemsOf(() => prepareLoad(scenarioOf(good.replace(before, after))))).toContain(expected);
  });
});

it.each([
  ['a fault that cuts sockets', good],
  [
    'a network that loses packets',
    good.replace('up: {', 'up: { loss: 1%,').replace(/- reconnect.*/, '- stallInference: { at: 15s, for: 1s }'),
  ],
  [
    'a server that the test does not start',
    good.replace('spec:', 'spec:\n  target: { url: "wss://x" }').replace(/ {2}faults:\n.*\n/, ''),
  ],
])('an objective on resumed sessions is fine with %s', (_, source) => {
  const scenario = scenarioOf(source.replace('p95(feedback_latency)', 'p95(resume_time)'));
  expect(prepareLoad(scenario).plans.length).toBeGreaterThan(0);
});

describe('--duration', () => {
  it('keeps everything in its place on the timeline, and says so', () => {
    const { scenario, notes } = withOverrides(scenarioOf(good), { duration: '5s' });
    expect(notes).toEqual([
      '--duration: the phases, faults, warm-up keep their places in 5.00 s instead of 20.0 s (times 0.25)',
    ]);
    expect(scenario.spec.load.phases).toMatchObject([
      { duration: 2500, ramp: 500 },
      { duration: 2500, ramp: 0 },
    ]);
    expect(scenario.spec).toMatchObject({ duration: 5000, warmup: 500, faults: [{ reconnect: { at: 3750 } }] });
    expect(prepareLoad(scenario).whole.peak).toBe(40);
  });

  it('of a load without a timeline is that and no more: the ramp stays, and nothing is said', () => {
    const { scenario, notes } = withOverrides(readScenario('scenarios/quickstart.yaml'), { duration: '4s' });
    expect(notes).toEqual([]);
    expect(scenario.spec).toMatchObject({ duration: 4000, load: { ramp: 3000 } });
  });

  it.each([
    ['500ms', 'too short; allowed: 1 s to 168 h'],
    ['1e9h', '--duration 1e9h is too long; allowed: 1 s to 168 h'],
    ['5', 'duration "5" has no unit'],
  ])('%s is refused', (duration, sentence) => {
    expect(problemsOf(() => withOverrides(scenarioOf(good), { duration }))).toContain(sentence);
  });
});

it('--url with faults that only an embedded server can suffer is refused, each quoted where it stands', () => {
  const source = good.replace(
    'reconnect: { at: 15s, learners: 50%, network: train }',
    'stopServer: { at: 15s, for: 1s }',
  );
  const said = problemsOf(() => withOverrides(scenarioOf(source), { url: 'ws://127.0.0.1:9' }));
  expect(said).toMatch(/--url: .*\n.*x\.yaml:19:\d+: stopServer needs the embedded server/);
});

it('a chart has its highest value at the axis, and marks', () => {
  expect(levelChart([0, 6, 12, 6], 8000, [5000], createPaint(false))).toEqual([
    '   12 ┤  █',
    '      ┤  █',
    '      ┤  █',
    '      ┤ ███',
    '      ┤ ███',
    '      ┤ ███',
    '    0 └────',
    '         ▲ fault',
    '       0 4.00 s8.00 s',
  ]);
});
