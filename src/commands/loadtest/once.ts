import { type LoadOutcome, runLoad } from '../../load/run.ts';
import type { LoadScenario } from '../../load/scenario/scenario.ts';
import {
  needsSteppingClock,
  nodeArgs,
  serveArgs,
  serverCount,
  storeCommand,
  workerCount,
} from '../../load/scenario/serve-args.ts';
import { packageVersion, shippedPath } from '../package.ts';
import type { LoadtestFlags } from './flags.ts';
import type { ReadyLoad } from './prepare.ts';
import { startLoadProgress } from './progress.ts';
import { tenantsFor } from './tenants.ts';
import { withWordEnds } from './word-ends.ts';

/**
 * Runs a prepared test with its progress shown; `signal` ends it early. Undefined: before it began.
 */
export async function runOnce(
  ready: ReadyLoad,
  flags: LoadtestFlags,
  signal: AbortSignal,
): Promise<LoadOutcome | undefined> {
  if (signal.aborted) return undefined;
  const { scenario } = ready;
  const progress = await startLoadProgress(scenario);
  const sayStop = () => progress.onPhase('stopping early');
  signal.addEventListener('abort', sayStop, { once: true });
  try {
    return await runLoad(
      {
        ...ready,
        prepared: await withWordEnds(ready, { ...progress, signal }),
        serve: await serveCommand(scenario),
        version: packageVersion(),
        ...(flags.generators !== undefined && { generators: flags.generators }),
        assumeIndependent: flags.assumeIndependent === true,
      },
      { ...progress, signal },
    );
  } catch (error) {
    // A server that was just starting, or a preflight, was given up: that is no error.
    if (signal.aborted) return undefined;
    throw error;
  } finally {
    progress.stop();
    signal.removeEventListener('abort', sayStop);
  }
}

async function serveCommand({ spec }: LoadScenario) {
  const { tenants } = spec.target.embedded ?? {};
  const isQuic = spec.target.transport !== 'websocket';
  const bin = shippedPath('bin/speechfb');
  return {
    file: process.execPath,
    args: [
      bin,
      'serve',
      '--port',
      '0',
      ...(isQuic ? ['--quic', '0'] : []),
      ...serveArgs(spec.target.embedded, spec.faults),
    ],
    nodes: nodeArgs(spec.target.embedded, spec.faults),
    tenants: tenants && (await tenantsFor(tenants)),
    hasTls: isQuic || spec.target.embedded?.tls,
    zones: spec.target.embedded?.zones,
    servers: serverCount(spec.target.embedded),
    hasSteppingClock: needsSteppingClock(spec.faults),
    store: storeCommand(spec.target.embedded, spec.faults),
    workers: workerCount(spec.target.embedded),
  };
}
