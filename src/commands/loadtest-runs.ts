import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ExitCode, exitCodes, SpeechfbError } from '../errors.ts';
import { runDirectory } from '../load/run-directories.ts';
import { makeDirectory } from '../report/make-directory.ts';
import { createPaint } from '../report/paint.ts';
import type { LoadReport } from '../report/report.ts';
import { snakeCased } from '../report/run-json.ts';
import { runsReport } from '../report/runs.ts';
import { runsText } from '../report/runs-text.ts';
import type { LoadtestFlags } from './loadtest.ts';
import { exitCodeOf } from './loadtest-exit.ts';
import { runOnce } from './loadtest-once.ts';
import { checkOutputs, writeOutputs } from './loadtest-outputs.ts';
import { prepareLoadtest } from './loadtest-prepare.ts';
import { wantsColour } from './terminal.ts';

/** Runs the scenario `runs` times, each with the next seed, and shows what differs from run to run. */
export async function runLoadtests(file: string, runs: number, flags: LoadtestFlags): Promise<ExitCode> {
  checkOutputs(flags);
  const { scenario } = prepareLoadtest(file, flags);
  const reports: LoadReport[] = [];
  const directories: (string | undefined)[] = [];
  let complete = true;
  for (let number = 1; number <= runs; number++) {
    process.stderr.write(`run ${number} of ${runs}\n`);
    const seed = String((scenario.spec.seed + number - 1) % 2 ** 32);
    const outcome = await runOnce(prepareLoadtest(file, { ...flags, seed }), flags);
    if (!outcome) return exitCodes.interrupted;
    const out = flags.out === undefined ? undefined : runDirectory(flags.out, number);
    complete = (await writeOutputs(outcome, { ...flags, ...(out !== undefined && { out }) })) && complete;
    reports.push(outcome.report);
    directories.push(out);
    if (outcome.report.interrupted) break;
  }
  const report = runsReport(reports, directories);
  const json = `${JSON.stringify(snakeCased(report), null, 2)}\n`;
  process.stdout.write(flags.json ? json : runsText(report, createPaint(wantsColour(process.stdout))));
  if (flags.out !== undefined) write(flags.out, json);
  const exitCode = exitCodeOf(report);
  return complete || exitCode !== exitCodes.pass ? exitCode : exitCodes.usage;
}

function write(directory: string, json: string): void {
  const file = join(directory, 'runs.json');
  try {
    makeDirectory(directory);
    writeFileSync(file, json);
  } catch (cause) {
    throw new SpeechfbError('output_unwritable', `cannot write "${file}": ${(cause as Error).message}`, { cause });
  }
}
