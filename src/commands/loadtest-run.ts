import { type ExitCode, exitCodes } from '../errors.ts';
import { loadTable } from '../report/load-table.ts';
import { createPaint } from '../report/paint.ts';
import { runJson } from '../report/run-json.ts';
import type { LoadtestFlags } from './loadtest.ts';
import { exitCodeOf } from './loadtest-exit.ts';
import { runOnce } from './loadtest-once.ts';
import { checkOutputs, writeOutputs } from './loadtest-outputs.ts';
import { prepareLoadtest } from './loadtest-prepare.ts';
import { wantsColour } from './terminal.ts';

/** Runs the scenario with the flags' overrides, shows it, writes it, and says how it ended. */
export async function runLoadtest(file: string, flags: LoadtestFlags): Promise<ExitCode> {
  checkOutputs(flags);
  const outcome = await runOnce(prepareLoadtest(file, flags), flags);
  if (!outcome) return exitCodes.interrupted;
  const { report } = outcome;
  if (flags.json) process.stdout.write(`${JSON.stringify(runJson(report), null, 2)}\n`);
  else process.stdout.write(loadTable(report, createPaint(wantsColour(process.stdout))));
  const complete = await writeOutputs(outcome, flags);
  const exitCode = exitCodeOf(report);
  return complete || exitCode !== exitCodes.pass ? exitCode : exitCodes.usage;
}
