import { fileURLToPath } from 'node:url';
import { type ExitCode, exitCodes } from '../errors.ts';
import { withOverrides } from '../load/overrides.ts';
import { type LoadOutcome, runLoad } from '../load/run.ts';
import { readScenario } from '../load/scenario.ts';
import { readToken } from '../load/token.ts';
import { loadTable } from '../report/load-table.ts';
import { createPaint } from '../report/paint.ts';
import type { LoadReport } from '../report/report.ts';
import { writeRunDirectory } from '../report/run-directory.ts';
import { runJson } from '../report/run-json.ts';
import type { LoadtestFlags } from './loadtest.ts';
import { startLoadProgress } from './loadtest-progress.ts';
import { packageVersion, wantsColour } from './terminal.ts';

/** Runs the scenario with the flags' overrides, shows it, writes it, and says how it ended. */
export async function runLoadtest(file: string, flags: LoadtestFlags): Promise<ExitCode> {
  const scenario = withOverrides(readScenario(file), flags);
  const token = flags.tokenFile === undefined ? undefined : readToken(flags.tokenFile);
  const stop = new AbortController();
  const progress = await startLoadProgress(scenario);
  const interrupt = () => {
    if (stop.signal.aborted) process.exit(exitCodes.interrupted);
    progress.onPhase('stopping early');
    stop.abort();
  };
  process.on('SIGINT', interrupt);
  let outcome: LoadOutcome;
  try {
    outcome = await runLoad(
      {
        scenario,
        token,
        serve: serveCommand(),
        version: packageVersion(),
        ...(flags.generators !== undefined && { generators: flags.generators }),
      },
      { ...progress, signal: stop.signal, onServer: (server) => process.once('exit', server.kill) },
    );
  } catch (error) {
    // Ctrl-C reaches the server that is just starting as well: its end is no error then.
    if (stop.signal.aborted) return exitCodes.interrupted;
    throw error;
  } finally {
    progress.stop();
    process.off('SIGINT', interrupt);
  }
  const { report, histograms, traces } = outcome;
  if (flags.json) process.stdout.write(`${JSON.stringify(runJson(report), null, 2)}\n`);
  else process.stdout.write(loadTable(report, createPaint(wantsColour(process.stdout))));
  if (flags.out !== undefined) {
    writeRunDirectory(flags.out, report, { histograms, traces });
    process.stderr.write(`results are in ${flags.out}\n`);
  }
  return exitCodeOf(report);
}

function exitCodeOf({ interrupted, verdict }: LoadReport): ExitCode {
  if (interrupted) return exitCodes.interrupted;
  return { pass: exitCodes.pass, fail: exitCodes.missed, invalid: exitCodes.invalid }[verdict];
}

function serveCommand() {
  const bin = fileURLToPath(new URL('../../bin/speechfb', import.meta.url));
  return { file: process.execPath, args: [bin, 'serve', '--port', '0'] };
}
