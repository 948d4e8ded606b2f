import { fileURLToPath } from 'node:url';
import { exitCodes } from '../../errors.ts';
import { type LoadOutcome, runLoad } from '../../load/run.ts';
import type { LoadScenario } from '../../load/scenario/scenario.ts';
import { serveArgs } from '../../load/scenario/serve-args.ts';
import { packageVersion } from '../terminal.ts';
import type { LoadtestFlags } from './flags.ts';
import type { ReadyLoad } from './prepare.ts';
import { startLoadProgress } from './progress.ts';

/** Runs a prepared test with its progress shown; Ctrl-C once ends it early, twice at once. Undefined: before it began. */
export async function runOnce(ready: ReadyLoad, flags: LoadtestFlags): Promise<LoadOutcome | undefined> {
  const { scenario } = ready;
  const stop = new AbortController();
  const progress = await startLoadProgress(scenario);
  const interrupt = () => {
    if (stop.signal.aborted) process.exit(exitCodes.interrupted);
    progress.onPhase('stopping early');
    stop.abort();
  };
  // SIGTERM is how a cluster or a CI service says the same as Ctrl-C.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, interrupt);
  try {
    return await runLoad(
      {
        ...ready,
        serve: serveCommand(scenario),
        version: packageVersion(),
        ...(flags.generators !== undefined && { generators: flags.generators }),
      },
      { ...progress, signal: stop.signal, onServer: (server) => process.once('exit', server.kill) },
    );
  } catch (error) {
    // Ctrl-C reaches the server that is just starting as well: its end is no error then.
    if (stop.signal.aborted) return undefined;
    throw error;
  } finally {
    progress.stop();
    for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, interrupt);
  }
}

function serveCommand({ spec }: LoadScenario) {
  const bin = fileURLToPath(new URL('../../../bin/speechfb', import.meta.url));
  return {
    file: process.execPath,
    args: [bin, 'serve', '--port', '0', ...serveArgs(spec.target.embedded, spec.faults)],
  };
}
