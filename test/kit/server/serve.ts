import { onTestFinished } from 'vitest';
import { type RunningServer, type ServerOptions, startServer } from '../../../src/server/gateway/server.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { scriptedEngine, scriptedScoring } from './scripted.ts';

/** A server on a free port with the scripted scoring, closed when the test is over. */
export async function serve(changes: Partial<ServerOptions> = {}): Promise<RunningServer> {
  const server = await startServer({
    engine: scriptedEngine(),
    scoring: scriptedScoring,
    log: createLog('silent', { write() {} }),
    version: '0.0.0-test',
    ...changes,
  });
  onTestFinished(() => server.close());
  return server;
}
