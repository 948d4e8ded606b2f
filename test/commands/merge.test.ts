import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { main } from '../../src/cli.ts';
import { histogramsReady } from '../../src/metrics/histogram.ts';
import { captureOutput } from '../kit/command.ts';
import { runOf, scratch } from '../kit/recorded-run.ts';

beforeAll(histogramsReady);
const output = captureOutput();

it('speechfb merge does not write the whole over a shard', async () => {
  const shard = runOf('only', 0, { shard: { index: 1, count: 1, planHash: 'x' } });
  expect(await main(['merge', shard, '--out', `${shard}/`])).toBe(2);
  expect(output.stderr).toMatch(/--out: ".*only" holds a shard, which the whole would take the place of \[bad_flag\]/);
  expect(await main(['merge', shard, '--out', join(scratch, 'whole')])).toBe(0);
});
