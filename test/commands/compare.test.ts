import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../src/cli.ts';
import { histogramsReady } from '../../src/metrics/histogram.ts';
import { Recorder } from '../../src/metrics/recorder.ts';
import type { RunMetadata } from '../../src/results/judge-run.ts';
import { encodeRun } from '../../src/results/recorded-run.ts';
import { parseObjective } from '../../src/slo/objective/expression.ts';
import { captureOutput } from '../kit/command.ts';
import { facts } from '../kit/run-facts.ts';

const scratch = mkdtempSync(join(tmpdir(), 'speechfb-commands-'));
const objectives = [parseObjective('p95(feedback_latency) < 500ms')];

/** Twenty sessions of thirty feedbacks each, `laterMs` later than usual. */
function runOf(name: string, laterMs = 0, changed: Partial<RunMetadata> = {}): string {
  const recorder = new Recorder();
  const slice = recorder.slice({ profile: 'direct', language: 'en-US' });
  const traces: object[] = [];
  for (let session = 0; session < 20; session++) {
    slice.tally.sessions += 1;
    for (let i = 0; i < 30; i++) {
      const total_ms = 40 + session + i + laterMs;
      slice.record('feedback_latency', total_ms);
      traces.push({
        at_ms: i,
        session: `learner-${session}`,
        profile: 'direct',
        language: 'en-US',
        total_ms,
        stages: {},
      });
    }
  }
  const recording = recorder.encode();
  recorder.destroy();
  const directory = join(scratch, name);
  mkdirSync(directory, { recursive: true });
  const run = { facts: { ...facts, objectives, ...changed }, recording, traces: [], tracesSeen: traces.length };
  writeFileSync(join(directory, 'recording.json.gz'), encodeRun(run));
  writeFileSync(
    join(directory, 'traces.ndjson.gz'),
    gzipSync(traces.map((one) => `${JSON.stringify(one)}\n`).join('')),
  );
  return directory;
}

beforeAll(histogramsReady);
const output = captureOutput();

describe('speechfb compare', () => {
  const base = () => runOf('base');
  const other = { ...facts.scenario, name: 'other' };

  it('of a run with one like it says same, in the middle and in the tail', async () => {
    expect(await main(['compare', base(), runOf('like', 0.5), '--margin', '8ms', '--strict'])).toBe(0);
    expect(output.stdout).toMatch(/p50\(feedback_latency\) .* same\n/);
    expect(output.stdout).toMatch(/p95\(feedback_latency\) a session .* same\n/);
    expect(output.stdout).toMatch(/verdict: SAME\n$/);
  });

  it.each([
    ['by default', [], 0],
    ['with --strict', ['--strict'], 98],
  ])(
    'of too few sessions for its margin says undecided, why and what to do, and exits %s %s',
    async (...[, flags, exit]) => {
      expect(await main(['compare', base(), runOf('like', 0.5), '--margin', '1ms', ...flags])).toBe(exit);
      expect(output.stdout).toMatch(/p50\(feedback_latency\) .* undecided\n/);
      expect(output.stdout).toMatch(
        /verdict: UNDECIDED\nundecided: the intervals of p50\(feedback_latency\), p95\(feedback_/,
      );
      // An interval of +-7 ms against a margin of 1 ms.
      expect(output.stdout).toMatch(
        /what to do: about 5\d times as many sessions, or a larger --margin, would decide\n$/,
      );
    },
  );

  it('with --strict exits 98 where the metric of an objective has no data on a side, whatever got better', async () => {
    const asks = { objectives: [...objectives, parseObjective('p95(final_latency) < 2s')] };
    expect(await main(['compare', runOf('slow', 50, asks), base(), '--strict'])).toBe(98);
    expect(output.stdout).toMatch(/verdict: UNDECIDED\nundecided: final_latency, of which a side has no data\n$/);
    expect(await main(['compare', runOf('slow', 50, asks), base()])).toBe(0);
  });

  it('with --strict still exits 99 on what is worse', async () => {
    expect(await main(['compare', base(), runOf('slow', 50), '--strict', '--json'])).toBe(99);
    expect(JSON.parse(output.stdout)).toMatchObject({ verdict: 'worse', strict: true, undecided: [] });
  });

  it('with one of 50 ms more says worse, and the other way round better', async () => {
    expect(await main(['compare', base(), runOf('slow', 50)])).toBe(99);
    expect(output.stdout).toMatch(/p50\(feedback_latency\) .* \+50\.\d ms .* worse\n/);
    expect(output.stdout).toMatch(/p95\(feedback_latency\) a session .* worse\n/);
    expect(output.stdout).toMatch(
      /verdict: WORSE\nwhy: p50\(feedback_latency\) is worse by 50\.\d ms \(at least 4\d\.\d ms\); p95/,
    );
    expect(await main(['compare', runOf('slow', 50), base()])).toBe(0);
    expect(output.stdout).toMatch(/verdict: BETTER\n$/);
  });

  it('within a margin of its own says same', async () => {
    expect(await main(['compare', base(), runOf('slow', 50), '--margin', '80ms'])).toBe(0);
  });

  it.each<[string, Partial<RunMetadata>, number, RegExp]>([
    ['was interrupted', { interrupted: true }, 98, /INVALID .*odd: was interrupted/],
    ['is of another scenario', { scenario: other }, 0, /note: different scenarios, tried and other/],
    [
      'is a shard',
      { shard: { index: 2, count: 3, planHash: 'x' } },
      0,
      /note: different parts of a test, the whole and shard 2\/3/,
    ],
  ])('with one that %s says so', async (_, changed, exit, sentence) => {
    expect(await main(['compare', base(), runOf('odd', 0, changed)])).toBe(exit);
    expect(output.stdout).toMatch(sentence);
  });

  it.each([
    [
      'itself',
      () => [base(), join(scratch, 'other', '..', 'base')],
      /base" would be compared with itself \[bad_usage\]/,
    ],
    ['a margin beyond all', () => [base(), runOf('like'), '--margin', '101%'], /"101%" is more than 100%, which hides/],
  ])('with %s exits 2', async (_, flags, sentence) => {
    expect(await main(['compare', ...flags()])).toBe(2);
    expect(output.stderr).toMatch(sentence);
  });

  it('without traces leaves the tails out, and says so', async () => {
    const bare = runOf('bare');
    rmSync(join(bare, 'traces.ndjson.gz'));
    expect(await main(['compare', base(), bare])).toBe(0);
    expect(output.stdout).toMatch(/note: .*bare has no traces: the tails of its sessions are not compared/);
    expect(output.stdout).not.toContain('a session');
  });

  it('takes the runs of --runs for one side', async () => {
    for (const number of [1, 2, 3]) runOf(`several/run-${number}`, number / 10);
    expect(await main(['compare', base(), join(scratch, 'several'), '--json'])).toBe(0);
    expect(JSON.parse(output.stdout)).toMatchObject({
      baseline: { runs: 1 },
      candidate: { runs: 3 },
      verdict: 'undecided',
    });
  });

  it.each([
    ['nowhere', /cannot read the recording ".*nowhere\/recording\.json\.gz": ENOENT/],
    ['damaged', /damaged\/recording\.json\.gz is damaged/],
  ])('of a directory that is %s exits 2', async (name, sentence) => {
    mkdirSync(join(scratch, 'damaged'), { recursive: true });
    writeFileSync(join(scratch, 'damaged', 'recording.json.gz'), 'x');
    expect(await main(['compare', base(), join(scratch, name)])).toBe(2);
    expect(output.stderr).toMatch(sentence);
  });
});

it('speechfb merge does not write the whole over a shard', async () => {
  const shard = runOf('only', 0, { shard: { index: 1, count: 1, planHash: 'x' } });
  expect(await main(['merge', shard, '--out', `${shard}/`])).toBe(2);
  expect(output.stderr).toMatch(/--out: ".*only" holds a shard, which the whole would take the place of \[bad_flag\]/);
  expect(await main(['merge', shard, '--out', join(scratch, 'whole')])).toBe(0);
});

describe('speechfb report', () => {
  it('of several runs shows them side by side, and exits as they did', async () => {
    for (const number of [1, 2]) runOf(`pair/run-${number}`, 600 * (number - 1));
    expect(await main(['report', join(scratch, 'pair')])).toBe(99);
    expect(output.stdout).toMatch(/p95\(feedback_latency\) < 500ms .* ms +\d+ ms !/);
    expect(await main(['report', join(scratch, 'pair'), '--format', 'junit'])).toBe(2);
    expect(output.stderr).toMatch(
      /holds 2 runs; as junit each is shown by itself \[bad_flag\]\n {2}hint: name one of them: .*run-1/,
    );
  });

  it('of runs of several tests in one directory says so', async () => {
    runOf('mixed/run-1');
    runOf('mixed/run-2', 0, { objectives: [parseObjective('lost_frames == 0')] });
    expect(await main(['report', join(scratch, 'mixed')])).toBe(2);
    expect(output.stderr).toMatch(
      /run-2 is not of one test with .*run-1: it judges lost_frames == 0 instead of p95.* \[bad_run\]/,
    );
  });

  it('needs no traces', async () => {
    const bare = runOf('bare');
    rmSync(join(bare, 'traces.ndjson.gz'));
    expect(await main(['report', bare])).toBe(0);
    expect(output.stdout).toContain('│ feedback_latency │     600 │');
  });
});
