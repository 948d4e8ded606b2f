import { fileURLToPath } from 'node:url';
import { type ExitCode, exitCodes, SpeechfbError } from '../errors.ts';
import { LatencyHistogram } from '../load/histogram.ts';
import type { Recording } from '../load/recorder.ts';
import { type LoadOutcome, runLoad } from '../load/run.ts';
import { checkUrl, type LoadScenario, readScenario } from '../load/scenario.ts';
import { runShardInThread } from '../load/shard-thread.ts';
import { readToken } from '../load/token.ts';
import { loadTable } from '../report/load-table.ts';
import { createPaint } from '../report/paint.ts';
import type { LoadReport } from '../report/report.ts';
import { writeRunDirectory } from '../report/run-directory.ts';
import { runJson } from '../report/run-json.ts';
import { parseDurationMs } from '../units.ts';
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
      { scenario, token, serve: serveCommand(), version: packageVersion(), generate: runShardInThread },
      { ...progress, signal: stop.signal, onServer: (server) => process.once('exit', server.kill) },
    );
  } finally {
    progress.stop();
    process.off('SIGINT', interrupt);
  }
  const { report, recording, traces } = outcome;
  if (flags.json) process.stdout.write(`${JSON.stringify(runJson(report), null, 2)}\n`);
  else process.stdout.write(loadTable(report, createPaint(wantsColour(process.stdout))));
  if (flags.out !== undefined) {
    writeRunDirectory(flags.out, report, { histograms: histogramsOf(recording), traces });
    process.stderr.write(`results are in ${flags.out}\n`);
  }
  return exitCodeOf(report);
}

function exitCodeOf({ interrupted, verdict }: LoadReport): ExitCode {
  if (interrupted) return exitCodes.interrupted;
  return { pass: exitCodes.pass, fail: exitCodes.missed, invalid: exitCodes.invalid }[verdict];
}

function withOverrides(scenario: LoadScenario, flags: LoadtestFlags): LoadScenario {
  const { spec } = scenario;
  if (flags.url !== undefined) spec.target.url = checkUrl(flags.url);
  if (flags.seed !== undefined) spec.seed = seedOf(flags.seed);
  if (flags.duration !== undefined) {
    spec.duration = parseDurationMs(flags.duration);
    if (spec.duration <= spec.load.ramp) {
      const message = `--duration ${flags.duration} is not longer than the scenario's ramp of ${spec.load.ramp} ms`;
      throw new SpeechfbError('bad_flag', message);
    }
  }
  return scenario;
}

function seedOf(text: string): number {
  const seed = Number(text);
  if (/^\d+$/.test(text) && seed <= 0xffffffff) return seed;
  throw new SpeechfbError('bad_flag', `--seed "${text}" is not a whole number from 0 to 4294967295`);
}

function serveCommand() {
  const bin = fileURLToPath(new URL('../../bin/speechfb', import.meta.url));
  return { file: process.execPath, args: [bin, 'serve', '--port', '0'] };
}

function histogramsOf({ distributions, stages }: Recording) {
  const entries = [
    ...Object.entries(distributions),
    ...Object.entries(stages).map(([name, encoded]) => [`stage.${name}`, encoded] as const),
  ];
  return entries.map(([tag, encoded]) => {
    const histogram = new LatencyHistogram({ ...encoded, never: 0 });
    const maxMs = histogram.samples === 0 ? 0 : histogram.valueAtRank(histogram.samples);
    histogram.destroy();
    return { tag, hdr: encoded.hdr, maxMs };
  });
}
