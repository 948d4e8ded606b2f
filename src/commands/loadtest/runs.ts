import { join } from 'node:path';
import { type ExitCode, exitCodes, SpeechfbError } from '../../errors.ts';
import { dollars } from '../../format.ts';
import { snakeCased } from '../../report/export/run-json.ts';
import { runsText } from '../../report/load/runs-text.ts';
import type { LoadReport } from '../../results/report.ts';
import { forgetEarlier, runDirectory, runsFile } from '../../results/run-directories.ts';
import { runsReport } from '../../results/runs.ts';
import { interruptible } from '../interruption.ts';
import { printJson, say } from '../output.ts';
import { exitCodeOf } from '../run-output/finish.ts';
import { checkOutputs, writeOutputs, writeResult } from '../run-output/outputs.ts';
import { printReport } from '../terminal.ts';
import type { LoadtestFlags } from './flags.ts';
import { runOnce } from './once.ts';
import { prepareLoadtest, type ReadyLoad, warnOfProof } from './prepare.ts';

/**
 * Runs the scenario `runs` times, each with the next seed, and shows what differs from run to run.
 */
export async function runLoadtests(file: string, runs: number, flags: LoadtestFlags): Promise<ExitCode> {
  checkOutputs(flags);
  return await interruptible((signal) => runEach(file, runs, flags, signal));
}

/** Several runs cost several times as much as one. */
function checkBillOf({ scenario, prepared: { bill } }: ReadyLoad, runs: number): void {
  const { dollars: cost, most } = bill;
  if (cost === undefined || most === undefined || cost * runs <= most) return;
  const message = `--runs ${runs}: cost ${dollars(cost * runs)} together, which is more than the ${dollars(most)} of spec.cost.most`;
  throw new SpeechfbError('bad_flag', message, {
    problems: [{ where: scenario.at(['spec', 'cost', 'most']), message: 'spec.cost.most' }],
  });
}

async function runEach(file: string, runs: number, flags: LoadtestFlags, signal: AbortSignal): Promise<ExitCode> {
  const ready = prepareLoadtest(file, flags);
  const { scenario } = ready;
  warnOfProof(ready, flags);
  checkBillOf(ready, runs);
  const reports: LoadReport[] = [];
  const directories: (string | undefined)[] = [];
  let complete = true;
  for (let number = 1; number <= runs && !signal.aborted; number++) {
    say(`run ${number} of ${runs}`);
    const seed = String((scenario.spec.seed + number - 1) % 2 ** 32);
    const outcome = await runOnce(prepareLoadtest(file, { ...flags, seed }), flags, signal);
    if (!outcome) break;
    if (flags.out !== undefined && number === 1) forgetEarlier(flags.out);
    const out = flags.out === undefined ? undefined : runDirectory(flags.out, number);
    complete = (await writeOutputs(outcome, { ...flags, ...(out !== undefined && { out }) })) && complete;
    reports.push(outcome.report);
    directories.push(out);
  }
  // Interrupted before the first test began.
  if (reports.length === 0) return exitCodes.interrupted;
  const report = runsReport(reports, directories);
  const json = snakeCased(report) as object;
  if (flags.json) printJson(json);
  else printReport(report, runsText);
  if (flags.out !== undefined) complete = (await writeResult(join(flags.out, runsFile), json)) && complete;
  const exitCode = signal.aborted ? exitCodes.interrupted : exitCodeOf(report);
  return complete || exitCode !== exitCodes.pass ? exitCode : exitCodes.usage;
}
