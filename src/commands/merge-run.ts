import { type ExitCode, exitCodes } from '../errors.ts';
import { histogramsReady } from '../load/histogram.ts';
import { mergeRuns } from '../load/merge-runs.ts';
import { readRecordedRun, reportOf } from '../load/recorded-run.ts';
import { loadTable } from '../report/load-table.ts';
import { createPaint } from '../report/paint.ts';
import { runJson } from '../report/run-json.ts';
import { exitCodeOf } from './loadtest-exit.ts';
import { checkOutputs, writeOutputs } from './loadtest-outputs.ts';
import type { MergeFlags } from './merge.ts';
import { wantsColour } from './terminal.ts';

/** Reads the shards, adds them up, shows and writes the whole as a load test does. */
export async function runMerge(directories: readonly string[], flags: MergeFlags): Promise<ExitCode> {
  checkOutputs(flags);
  await histogramsReady();
  const run = mergeRuns(directories.map((name) => ({ name, run: readRecordedRun(name) })));
  const report = reportOf(run);
  if (flags.json) process.stdout.write(`${JSON.stringify(runJson(report), null, 2)}\n`);
  else process.stdout.write(loadTable(report, createPaint(wantsColour(process.stdout))));
  const complete = await writeOutputs({ report, run }, flags);
  const exitCode = exitCodeOf(report);
  return complete || exitCode !== exitCodes.pass ? exitCode : exitCodes.usage;
}
