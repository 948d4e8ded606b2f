import { fileURLToPath } from 'node:url';
import { type ExitCode, exitCodes } from '../errors.ts';
import { type LoadOutcome, runLoad } from '../load/run.ts';
import type { LoadScenario } from '../load/scenario.ts';
import { serveArgs } from '../load/serve-args.ts';
import { loadTable } from '../report/load-table.ts';
import { createPaint } from '../report/paint.ts';
import { runJson } from '../report/run-json.ts';
import type { LoadtestFlags } from './loadtest.ts';
import { exitCodeOf } from './loadtest-exit.ts';
import { checkOutputs, writeOutputs } from './loadtest-outputs.ts';
import { prepareLoadtest } from './loadtest-prepare.ts';
import { startLoadProgress } from './loadtest-progress.ts';
import { packageVersion, wantsColour } from './terminal.ts';

/** Runs the scenario with the flags' overrides, shows it, writes it, and says how it ended. */
export async function runLoadtest(file: string, flags: LoadtestFlags): Promise<ExitCode> {
  checkOutputs(flags);
  const { scenario, prepared, startAtEpochMs } = prepareLoadtest(file, flags);
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
        prepared,
        startAtEpochMs,
        serve: serveCommand(scenario),
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
  const { report } = outcome;
  if (flags.json) process.stdout.write(`${JSON.stringify(runJson(report), null, 2)}\n`);
  else process.stdout.write(loadTable(report, createPaint(wantsColour(process.stdout))));
  const complete = await writeOutputs(outcome, flags);
  const exitCode = exitCodeOf(report);
  return complete || exitCode !== exitCodes.pass ? exitCode : exitCodes.usage;
}

function serveCommand({ spec }: LoadScenario) {
  const bin = fileURLToPath(new URL('../../bin/speechfb', import.meta.url));
  return {
    file: process.execPath,
    args: [bin, 'serve', '--port', '0', ...serveArgs(spec.target.embedded, spec.faults)],
  };
}
