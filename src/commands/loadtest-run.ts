import { type ExitCode, exitCodes } from '../errors.ts';
import type { LoadtestFlags } from './loadtest.ts';
import { finishRun } from './loadtest-finish.ts';
import { runOnce } from './loadtest-once.ts';
import { checkOutputs } from './loadtest-outputs.ts';
import { prepareLoadtest } from './loadtest-prepare.ts';

/** Runs the scenario with the flags' overrides, shows it, writes it, and says how it ended. */
export async function runLoadtest(file: string, flags: LoadtestFlags): Promise<ExitCode> {
  checkOutputs(flags);
  const outcome = await runOnce(prepareLoadtest(file, flags), flags);
  return outcome ? await finishRun(outcome, flags) : exitCodes.interrupted;
}
