import { Command, CommanderError } from 'commander';
import { registerAdmin } from './commands/admin/command.ts';
import { registerAudit } from './commands/audit/command.ts';
import { registerBudget } from './commands/budget/command.ts';
import { registerCanary } from './commands/canary/command.ts';
import { registerCapacity } from './commands/capacity/command.ts';
import { registerCompare } from './commands/compare/command.ts';
import { registerDeploy } from './commands/deploy/command.ts';
import { registerDlq } from './commands/dlq/command.ts';
import { registerExamples } from './commands/examples/command.ts';
import { helpLayout } from './commands/help.ts';
import { registerLoadtest } from './commands/loadtest/command.ts';
import { registerMerge } from './commands/merge/command.ts';
import { registerNetsim } from './commands/netsim/command.ts';
import { packageVersion } from './commands/package.ts';
import { registerProbe } from './commands/probe/command.ts';
import type { RegisterCommand } from './commands/register.ts';
import { registerReport } from './commands/report/command.ts';
import { registerRoute } from './commands/route/command.ts';
import { registerScore } from './commands/score/command.ts';
import { registerServe } from './commands/serve/command.ts';
import { registerShadow } from './commands/shadow/command.ts';
import { registerSlo } from './commands/slo/command.ts';
import { registerStream } from './commands/stream/command.ts';
import { registerToken } from './commands/token/command.ts';
import { usageError } from './commands/usage-error.ts';
import { registerWorker } from './commands/worker/command.ts';
import { type ExitCode, exitCodes, formatError, SpeechfbError } from './errors.ts';
import { fileTrouble } from './file-trouble.ts';
import { plainStack } from './plain-text.ts';
import { redactUrls } from './redact.ts';

/**
 * Runs one command line (without node and script) and returns its exit code; the only place that
 * prints errors.
 */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode: number = exitCodes.pass;
  keepRuntimeSilent(process.env);
  const stdout = watchStdout();
  const program = createProgram((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    // A stream tells of a failed write a moment after it.
    await new Promise(setImmediate);
    if (!stdout.error) return exitCode;
    const lost = new SpeechfbError(
      'output_unwritable',
      `not all of stdout could be written: ${fileTrouble(stdout.error)}`,
    );
    process.stderr.write(`${formatError(lost)}\n`);
    return exitCode === exitCodes.pass ? lost.exitCode : exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.pass : exitCodes.usage;
    if (error instanceof SpeechfbError) {
      process.stderr.write(`${formatError(error)}\n`);
      return error.exitCode;
    }
    const stack = String(error instanceof Error ? error.stack : error);
    process.stderr.write(`speechfb: a bug of ours, please report it: ${plainStack(redactUrls(stack))}\n`);
    return exitCodes.bug;
  } finally {
    stdout.end();
  }
}

/**
 * Notes the first error of stdout until `end` is called. `speechfb ... | head` closes it early:
 * what is left has no reader then, and the verdict stands. Errors that come later still, and those
 * of stderr, can be reported nowhere, and must not end the process.
 */
function watchStdout(): { readonly error: Error | undefined; end(): void } {
  let error: Error | undefined;
  const note = (given: NodeJS.ErrnoException): void => {
    if (given.code !== 'EPIPE') error ??= given;
  };
  for (const stream of [process.stdout, process.stderr]) {
    if (!stream.listeners('error').includes(ignore)) stream.on('error', ignore);
  }
  process.stdout.on('error', note);
  return {
    get error() {
      return error;
    },
    end: () => void process.stdout.off('error', note),
  };
}

function ignore(): void {}

/**
 * Native ONNX Runtime keeps a number of the machine in the user's cache and tells its maker of each
 * model that it opens, unless it is told not to before it is loaded. Processes that are started
 * from here inherit that.
 */
function keepRuntimeSilent(env: NodeJS.ProcessEnv): void {
  env.ORT_DISABLE_TELEMETRY ??= '1';
}

/**
 * Registers every verb. A command file declares its flags and imports the heavy half inside its
 * action, so that `--help` stays fast. `done` takes the exit code of a command that ran to its end.
 */
function createProgram(done: (exitCode: ExitCode) => void): Command {
  const program = new Command('speechfb')
    .description('Serve, load-test, budget and price live speech feedback.')
    .version(packageVersion(), '-V, --version')
    .showSuggestionAfterError()
    .configureHelp(helpLayout)
    .configureOutput({ outputError: (text, write) => write(usageError(text)) })
    .exitOverride();
  for (const register of registrations) register(program, done);
  // A subcommand does not inherit exitOverride: without this, commander itself would end the
  // process.
  for (const command of program.commands) command.exitOverride();
  return program;
}

const registrations: readonly RegisterCommand[] = [
  registerScore,
  registerServe,
  registerStream,
  registerProbe,
  registerLoadtest,
  registerReport,
  registerMerge,
  registerCompare,
  registerNetsim,
  registerBudget,
  registerCapacity,
  registerRoute,
  registerSlo,
  registerCanary,
  registerDeploy,
  registerShadow,
  registerAdmin,
  registerAudit,
  registerExamples,
  registerToken,
  registerWorker,
  registerDlq,
];
