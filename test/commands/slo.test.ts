import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { speechfb } from '../kit/command.ts';
import { type MadeRun, makeRun } from '../kit/run-kit.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const runs = {} as Record<'old' | 'same' | 'slower' | 'late' | 'tiny' | 'starved', string>;

beforeAll(async () => {
  const made: Record<keyof typeof runs, MadeRun> = {
    old: { medianMs: 200, seed: 1 },
    same: { medianMs: 200, seed: 2 },
    slower: { medianMs: 230, seed: 3 },
    late: { medianMs: 200, late: 0.06, seed: 4 },
    tiny: { medianMs: 200, sessions: 1, events: 5, seed: 5 },
    starved: { medianMs: 900, late: 0.5, seed: 6, doubt: 'p99 22.6 ms, at most 10 ms' },
  };
  for (const [name, run] of Object.entries(made)) runs[name as keyof typeof runs] = await makeRun(run);
});

describe('speechfb slo', () => {
  it('checks by default', async () => {
    const { status, stdout } = await speechfb('slo', 'slo/live-feedback.yaml');
    expect(status).toBe(0);
    expect(stdout).toContain('page    burn > 14.4 over 1 h and 5 m: above 14.4 % bad');
    expect(stdout).toContain('proves it with 299 events and no miss, 473 with one, 1,693 with ten; 262,742 measure it');
    expect(stdout).toContain('nothing to object to');
  });

  it('checks as JSON', async () => {
    const { stdout } = await speechfb('slo', 'check', 'slo/live-feedback.yaml', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'live-feedback',
      objectives: [
        { name: 'feedback-latency', largest_burn: 100, alerts: [{ burn: 14.4, reachable: true }, {}, {}, {}] },
        {},
      ],
      findings: [],
    });
  });

  it('writes the rules that ship', async () => {
    const out = join(temporaryDirectory(), 'rules.yaml');
    expect((await speechfb('slo', 'rules', 'slo/live-feedback.yaml', '--out', out)).status).toBe(0);
    expect(readFileSync(out, 'utf8')).toBe(readFileSync('slo/live-feedback.rules.yaml', 'utf8'));
    expect((await speechfb('slo', 'rules', 'slo/live-feedback.yaml')).stdout).toBe(
      readFileSync('slo/live-feedback.rules.yaml', 'utf8'),
    );
  });

  it.each([
    ['late', 99, 'fail', { name: 'feedback-latency', verdict: 'fail' }],
    ['old', 98, 'invalid', { name: 'feedback-latency', verdict: 'pass' }],
    [
      'starved',
      98,
      'invalid',
      { name: 'feedback-latency', verdict: 'invalid', reason: expect.stringMatching(/proves nothing/) },
    ],
  ] as const)('evaluates the %s run: exit %d', async (run, status, verdict, objective) => {
    const result = await speechfb('slo', 'evaluate', 'slo/live-feedback.yaml', '--run', runs[run], '--json');
    expect(result.status, result.stderr).toBe(status);
    expect(JSON.parse(result.stdout)).toMatchObject({
      verdict,
      // 39 of 40 sessions prove nothing about 99.5 %.
      objectives: [objective, { name: 'session-success', verdict: 'invalid' }],
    });
  });

  it('explains an alert before it fires, and a run after it', async () => {
    expect((await speechfb('slo', 'explain', 'slo/live-feedback.yaml')).stdout).toMatch(
      /^page: More than 14.4 % of the events/,
    );
    const { stdout } = await speechfb('slo', 'explain', 'slo/live-feedback.yaml', '--run', runs.late);
    const tiny = await speechfb('slo', 'explain', 'slo/live-feedback.yaml', '--run', runs.tiny);
    expect(tiny.stdout).toContain(
      'That decides nothing: 0 bad of 5 proves nothing about 99 %; 294 more without a miss would.',
    );
    expect(stdout).toMatch(
      /feedback-latency of speechfb: \d+ of 4,000 events \(\d(\.\d+)? %\) in 10 s took longer than 500 ms/,
    );
  });

  it.each([
    [['slo', 'evaluate', 'slo/live-feedback.yaml'], /exactly one of --run DIR, --prometheus URL/],
    [['slo', 'evaluate', 'slo/live-feedback.yaml', '--run', 'nowhere'], /cannot read the result "nowhere\/run.json"/],
    [['slo', 'check', 'nowhere.yaml'], /cannot read the service level "nowhere.yaml"/],
    [['slo', 'check', 'slo/canary.yaml'], /slo\/canary.yaml:1:1: has no ServiceLevel; it has CanaryAnalysis new-model/],
    [['slo', 'check', 'slo/live-feedback.yaml', '--name', 'other'], /has no "other": live-feedback/],
    [['slo', 'rules', 'slo/live-feedback.yaml', '--out', 'nowhere/rules.yaml'], /cannot write "nowhere\/rules.yaml"/],
  ])('%j exits 2 and says why', async (args, message) => {
    const { status, stdout, stderr } = await speechfb(...args);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
  });
});

describe('speechfb canary', () => {
  it('plans the famous example without a file', async () => {
    const { status, stdout } = await speechfb('canary', 'plan', '--mode', 'consecutive', '--hold', '30m', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      mode: 'consecutive',
      events_needed: 1398,
      power: expect.closeTo(0.1874, 4),
      steps: [{ window_events: 600, allowed_bad: 12, one_window: { false_rollback: expect.closeTo(0.008492, 6) } }],
    });
  });

  it('says in words which reading it takes, and what the other would do', async () => {
    const { stdout } = await speechfb('canary', 'plan', 'slo/canary.yaml');
    expect(stdout).toContain(
      'roll back when the share over the trailing 10 m, looked at every 1 m, burns above 2 (mode: window)',
    );
    expect(stdout).toContain('read as consecutive: rolls back wrongly almost never, finds a burn of 4 18.74 %');
  });

  it.each([
    ['same', 0, 'promote', 'latency', /not slower/],
    ['slower', 99, 'rollback', 'latency', /: slower/],
    ['late', 99, 'rollback', 'burn', /burned above 2 over the 10 s that it ran/],
    ['tiny', 98, 'hold', 'data', /has 2 utterances; needs 598 more/],
    ['starved', 98, 'hold', 'data', /the run of the canary proves nothing: send lateness: p99 22.6 ms, at most 10 ms/],
  ] as const)('judges the %s run: exit %d, %s', async (run, status, decision, check, message) => {
    const args = ['canary', 'judge', 'slo/canary.yaml', '--baseline', runs.old, '--canary', runs[run], '--json'];
    const result = await speechfb(...args);
    expect(result.status, result.stdout + result.stderr).toBe(status);
    const judgement = JSON.parse(result.stdout);
    expect(judgement).toMatchObject({ name: 'new-model', decision });
    const reason = judgement.reasons.find((one: { check: string }) => one.check === check);
    expect(reason).toMatchObject({ decision, message: expect.stringMatching(message) });
  });

  it('judges with its figures beside the sentences', async () => {
    const judged = await speechfb(
      'canary',
      'judge',
      'slo/canary.yaml',
      '--baseline',
      runs.old,
      '--canary',
      runs.slower,
      '--json',
    );
    const figures = Object.fromEntries(
      JSON.parse(judged.stdout).reasons.map((one: { check: string; figures: object }) => [one.check, one.figures]),
    );
    expect(figures).toMatchObject({
      burn: { canary_events: 1000, canary_bad: 0, canary_burn: 0, baseline_events: 1000 },
      sequential: { bad: 0, total: 1000, fine: 0.01, worse: 0.02 },
      latency: { canary_sessions: 40, baseline_sessions: 40, shift_ms: expect.closeTo(30, -1) },
    });
    expect(figures.latency.lower_ms).toBeGreaterThan(figures.latency.margin_ms);
  });

  it('takes as many that never came as belong to a sample of the traces', async () => {
    const sampled = await makeRun({ medianMs: 200, never: 400, seed: 7 });
    const traces = gunzipSync(readFileSync(join(sampled, 'traces.ndjson.gz')))
      .toString()
      .trim()
      .split('\n');
    writeFileSync(join(sampled, 'traces.ndjson.gz'), gzipSync(traces.filter((_, i) => i % 4 === 0).join('\n')));
    const judged = await speechfb('canary', 'judge', 'slo/canary.yaml', '--alone', '--canary', sampled, '--json');
    expect(JSON.parse(judged.stdout).reasons[0].figures).toMatchObject({ canary_events: 1100, canary_bad: 100 });
    rmSync(sampled, { recursive: true });
  });

  it('rehearses a rollout with a planted regression', async () => {
    const bad = await speechfb('canary', 'simulate', 'slo/canary.yaml', '--regression', '4');
    expect(bad.status).toBe(99);
    expect(bad.stdout).toContain('rolled back after 10 m at 5 % of the traffic; 21 events went bad');
    const good = await speechfb('canary', 'simulate', 'slo/canary.yaml', '--json');
    expect(good.status).toBe(0);
    expect(JSON.parse(good.stdout)).toMatchObject({ outcome: 'promoted', share: 1 });
  });

  it.each([
    [['canary', 'plan', '--hold', '5m'], /--hold: 5 m ends before the rollback rule has seen its 10 m/],
    [['canary', 'plan', '--target', '100%'], /--target: "100%" leaves no error budget/],
    [['canary', 'plan', 'slo/canary.yaml', '--burn', '3'], /--burn cannot change what slo\/canary.yaml says/],
    [['canary', 'plan', '--mode', 'average'], /--mode "average" is not allowed; allowed: window, consecutive/],
    [['canary', 'judge', 'slo/canary.yaml'], /--baseline DIR and --canary DIR, or from --prometheus URL/],
    [['canary', 'simulate', 'slo/canary.yaml', '--regression', 'much'], /--regression "much" is not a burn rate/],
    [['canary', 'paln'], /did you mean plan\?/],
  ])('%j exits 2 and says why', async (args, message) => {
    const { status, stderr } = await speechfb(...args);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });
});
