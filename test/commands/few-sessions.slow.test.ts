import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { histogramsReady } from '../../src/metrics/histogram.ts';
import { Recorder } from '../../src/metrics/recorder.ts';
import { encodeRun } from '../../src/results/recorded-run.ts';
import { parseObjective } from '../../src/slo/objective/expression.ts';
import { sumsOfLatencies } from '../kit/cluster-sums.ts';
import { speechfb } from '../kit/command.ts';
import { metadata } from '../kit/run-metadata.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const directory = temporaryDirectory();
beforeAll(histogramsReady);
const never = Number.POSITIVE_INFINITY;
const repeated = (sessions: number, each: number, ms: (i: number) => number): number[][] =>
  Array.from({ length: sessions }, (_, session) => Array.from({ length: each }, (_, i) => ms(session * each + i)));
const spread = (i: number) => 100 + (i % 37);

/** Latencies by session, and what is said of them: of a budget of 500 ms, and of a test that promises it and 99 % of feedback. */
const rows: [name: string, sessions: number[][], budget: [number, RegExp], test: [number, RegExp]][] = [
  ['one event', [[120]], [98, /1 traces prove nothing: 200 are needed/], [98, /not proven by 1 session; needs/]],
  [
    'one session',
    repeated(1, 1000, spread),
    [98, /one session proves nothing: about \d+ more/],
    [98, /not proven by 1 session; needs/],
  ],
  [
    'two sessions that are alike',
    repeated(2, 1000, (i) => spread(i % 1000)),
    [98, /2 sessions prove nothing: about \d+ more/],
    [98, /not proven by 2 sessions \(design effect/],
  ],
  ['sessions of one event', repeated(500, 1, spread), [0, /pass/], [0, /PASS/]],
  [
    'events that are all equal',
    repeated(20, 50, () => 100),
    [98, /20 sessions prove nothing: about \d+ more/],
    [98, /not proven by 20 sessions \(design effect 50.0\); needs \d+ more like these/],
  ],
  ['no misses', repeated(400, 20, spread), [0, /pass/], [0, /PASS/]],
  ['all missed', repeated(20, 50, (i) => 900 + spread(i)), [99, /fail/], [99, /1000 of 1000 missed/]],
  ['all that never came', repeated(20, 50, () => never), [98, /p95 never/], [99, /1000 of 1000 missed/]],
  [
    'one session with most events',
    [...repeated(1, 1000, spread), ...repeated(50, 1, spread)],
    [98, /51 sessions prove nothing: about \d\d+ more/],
    [98, /not proven by 51 sessions .*; needs \d\d+ more like these/],
  ],
];

describe.each(rows)('of %s', (name, sessions, [budgetExit, budgetSays], [testExit, testSays]) => {
  it.each([
    ['text', []],
    ['JSON', ['--json']],
    ['Markdown', ['--markdown']],
  ])('budget says what is missing, in %s', async (format, flags) => {
    const traces = join(directory, `${name}.ndjson`);
    writeFileSync(traces, traceLines(sessions));
    const { status, stdout, stderr } = await speechfb(
      'budget',
      card(),
      '--traces',
      traces,
      '--by',
      'profile',
      ...flags,
    );
    expect([status, stderr]).toEqual([budgetExit, '']);
    expectNumbers(stdout);
    if (format === 'text') expect(stdout).toMatch(budgetSays);
  });

  it.each(['table', 'json', 'markdown', 'junit', 'prometheus'])('a test says so, as %s', async (format) => {
    const { status, stdout, stderr } = await speechfb('report', runOf(name, sessions), '--format', format);
    expect([status, stderr]).toEqual([testExit, '']);
    if (format !== 'prometheus') expectNumbers(stdout);
    if (format === 'table') expect(stdout).toMatch(testSays);
  });

  it('a comparison with a longer test has a verdict', async () => {
    const whole = runOf('whole', repeated(100, 20, spread));
    for (const flags of [[], ['--json']]) {
      const { status, stdout } = await speechfb('compare', whole, runOf(name, sessions), ...flags);
      expect([0, 99]).toContain(status);
      expectNumbers(stdout);
    }
  });

  it('a canary is held for want of data, or judged', async () => {
    const [whole, few] = [runOf('whole', repeated(100, 20, spread)), runOf(name, sessions)];
    for (const run of [whole, few]) {
      const { stdout } = await speechfb('report', run, '--format', 'json');
      writeFileSync(join(run, 'run.json'), stdout);
      // Feedback is counted from the traces.
      writeFileSync(join(run, 'histograms.hlog'), '');
    }
    for (const flags of [[], ['--json']]) {
      const args = ['--baseline', whole, '--canary', few, ...flags];
      const { status, stdout, stderr } = await speechfb('canary', 'judge', 'canary', ...args);
      expect(stderr).toBe('');
      expect([0, 98, 99]).toContain(status);
      expectNumbers(stdout);
    }
  });
});

/** No value that is none, but in the sentence that says that feedback never came. */
function expectNumbers(text: string): void {
  expect(text).not.toMatch(/\bNaN\b|\bInfinity\b|\bundefined\b|∞/);
  expect(text.length).toBeGreaterThan(0);
}

function card(): string {
  const file = join(directory, 'card.yaml');
  const stages = '[{ name: a, budget: 400ms }, { name: b, budget: 100ms }]';
  const whatIf = '[{ name: slower, changes: [{ stage: a, shift: 20ms }] }]';
  writeFileSync(
    file,
    `kind: LatencyBudget\nspec:\n  objective: { percentile: 95, value: 500ms }\n  stages: ${stages}\n  whatIf: ${whatIf}\n`,
  );
  return file;
}

function traceLines(sessions: readonly (readonly number[])[]): string {
  return traced(sessions)
    .map(({ total_ms, ...rest }) => {
      const came = Number.isFinite(total_ms);
      const stages = { a: came ? total_ms - 30 : 0, b: came ? 30 : 0 };
      return `${JSON.stringify({ ...rest, total_ms: came ? total_ms : null, stages })}\n`;
    })
    .join('');
}

function traced(sessions: readonly (readonly number[])[]) {
  return sessions.flatMap((latencies, session) =>
    latencies.map((total_ms, i) => ({
      at_ms: i,
      session: `learner-${session}`,
      utterance: 0,
      profile: 'direct',
      language: 'en-US',
      total_ms,
    })),
  );
}

/** The directory of a run of these sessions. */
function runOf(name: string, sessions: readonly (readonly number[])[]): string {
  const objectives = ['p95(feedback_latency) < 500ms', 'availability >= 99%'].map((text) => parseObjective(text));
  using recorder = new Recorder();
  const slice = recorder.slice({ profile: 'direct', language: 'en-US' });
  for (const ms of sessions.flat()) slice.record('feedback_latency', ms);
  slice.tally.sessions = sessions.length;
  slice.tally.sessions_ok = sessions.length;
  slice.clusters[objectives[0]!.source] = sumsOfLatencies(sessions, 500);
  for (const key of [objectives[1]!.source, 'availability'])
    slice.clusters[key] = sumsOfLatencies(sessions, Number.MAX_VALUE);
  const traces = traced(sessions).filter(({ total_ms }) => Number.isFinite(total_ms));
  const run = {
    metadata: { ...metadata, objectives },
    recording: recorder.encode(),
    traces: [],
    tracesSeen: traces.length,
  };
  const where = join(directory, name);
  mkdirSync(where, { recursive: true });
  writeFileSync(join(where, 'recording.json.gz'), encodeRun(run));
  const lines = traces.map((one) => `${JSON.stringify({ ...one, stages: {} })}\n`).join('');
  writeFileSync(join(where, 'traces.ndjson.gz'), gzipSync(lines));
  return where;
}
