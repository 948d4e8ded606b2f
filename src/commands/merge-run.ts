import type { ExitCode } from '../errors.ts';
import { histogramsReady } from '../load/histogram.ts';
import { mergeRuns } from '../load/merge-runs.ts';
import { readTracedRun, reportOf } from '../load/recorded-run.ts';
import { finishRun } from './loadtest-finish.ts';
import { checkOutputs } from './loadtest-outputs.ts';
import type { MergeFlags } from './merge.ts';

/** Reads the shards, adds them up, shows and writes the whole as a load test does. */
export async function runMerge(directories: readonly string[], flags: MergeFlags): Promise<ExitCode> {
  checkOutputs(flags);
  await histogramsReady();
  const run = mergeRuns(directories.map((name) => ({ name, run: readTracedRun(name) })));
  return await finishRun({ report: reportOf(run), run }, flags);
}
