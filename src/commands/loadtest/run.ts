import { type ExitCode, exitCodes } from '../../errors.ts';
import { interruptible } from '../interruption.ts';
import { finishRun } from '../run-output/finish.ts';
import { checkOutputs } from '../run-output/outputs.ts';
import type { LoadtestFlags } from './flags.ts';
import { runOnce } from './once.ts';
import { prepareLoadtest, warnOfProof } from './prepare.ts';

/** Runs the scenario with the flags' overrides, shows it, writes it, and says how it ended. */
export async function runLoadtest(file: string, flags: LoadtestFlags): Promise<ExitCode> {
  checkOutputs(flags);
  return await interruptible(async (signal) => {
    const ready = prepareLoadtest(file, flags);
    warnOfProof(ready, flags);
    const outcome = await runOnce(ready, flags, signal);
    return outcome ? await finishRun(outcome, flags) : exitCodes.interrupted;
  });
}
