import { resolve } from 'node:path';
import { type ExitCode, SpeechfbError } from '../../errors.ts';
import { histogramsReady } from '../../metrics/histogram.ts';
import { mergeRuns } from '../../results/merge-runs.ts';
import { readTracedRun, reportOf } from '../../results/recorded-run.ts';
import { finishRun } from '../run-output/finish.ts';
import { checkOutputs } from '../run-output/outputs.ts';
import type { MergeFlags } from './flags.ts';

/** Reads the shards, adds them up, shows and writes the whole as a load test does. */
export async function runMerge(directories: readonly string[], flags: MergeFlags): Promise<ExitCode> {
  checkOutputs(flags);
  const over = directories.find((name) => flags.out !== undefined && resolve(name) === resolve(flags.out));
  if (over !== undefined)
    throw new SpeechfbError('bad_flag', `--out: "${over}" holds a shard, which the whole would take the place of`, {
      hint: 'name a directory of its own',
    });
  await histogramsReady();
  const run = mergeRuns(directories.map((name) => ({ name, run: readTracedRun(name) })));
  return await finishRun({ report: reportOf(run), run }, flags);
}
