import { type ExitCode, exitCodes } from '../../errors.ts';
import type { LoadOutcome } from '../../load/run.ts';
import { runJson } from '../../report/export/run-json.ts';
import { loadTable } from '../../report/load/table.ts';
import type { LoadReport } from '../../results/report.ts';
import { printJson } from '../output.ts';
import { printReport } from '../terminal.ts';
import { type OutputFlags, writeOutputs } from './outputs.ts';

/** Shows a run that is over, writes what it leaves behind, and says how it ended. */
export async function finishRun(outcome: LoadOutcome, flags: OutputFlags & { json?: true }): Promise<ExitCode> {
  const { report } = outcome;
  if (flags.json) printJson(runJson(report));
  else printReport(report, loadTable);
  const complete = await writeOutputs(outcome, flags);
  const exitCode = exitCodeOf(report);
  return complete || exitCode !== exitCodes.pass ? exitCode : exitCodes.usage;
}

/** How a run that ended as this report says exits. */
export function exitCodeOf({ interrupted, verdict }: Pick<LoadReport, 'interrupted' | 'verdict'>): ExitCode {
  if (interrupted) return exitCodes.interrupted;
  return { pass: exitCodes.pass, fail: exitCodes.missed, invalid: exitCodes.invalid }[verdict];
}
