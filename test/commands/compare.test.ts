import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../src/cli.ts';
import { histogramsReady } from '../../src/metrics/histogram.ts';
import type { RunMetadata } from '../../src/results/judge-run.ts';
import { parseObjective } from '../../src/slo/objective/expression.ts';
import { captureOutput } from '../kit/command.ts';
import { objectives, runOf, scratch } from '../kit/recorded-run.ts';
import { metadata } from '../kit/run-metadata.ts';

beforeAll(histogramsReady);
const output = captureOutput();

describe('speechfb compare', () => {
  const base = () => runOf('base');
  const other = { ...metadata.scenario, name: 'other' };

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
    ['nowhere', /cannot read the recording ".*nowhere\/recording\.json\.gz": there is no such file/],
    ['damaged', /damaged\/recording\.json\.gz is damaged/],
  ])('of a directory that is %s exits 2', async (name, sentence) => {
    mkdirSync(join(scratch, 'damaged'), { recursive: true });
    writeFileSync(join(scratch, 'damaged', 'recording.json.gz'), 'x');
    expect(await main(['compare', base(), join(scratch, name)])).toBe(2);
    expect(output.stderr).toMatch(sentence);
  });
});
