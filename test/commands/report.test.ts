import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../src/cli.ts';
import { histogramsReady } from '../../src/metrics/histogram.ts';
import { parseObjective } from '../../src/slo/objective/expression.ts';
import { captureOutput } from '../kit/command.ts';
import { runOf, scratch } from '../kit/recorded-run.ts';

beforeAll(histogramsReady);
const output = captureOutput();

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
