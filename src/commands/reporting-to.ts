import { writeSync } from 'node:fs';
import type { ExitCode } from '../errors.ts';
import { encodeServerUpdate, type ServerUpdate } from '../load/service/server-updates.ts';
import { toPlainError } from '../threads/plain-error.ts';

/**
 * Runs a server, and tells the load test that started it when it is ready, and where, or why it
 * cannot be.
 *
 * @param parentFd the pipe to that; undefined: nobody is told
 */
export async function reportingTo(
  parentFd: number | undefined,
  run: (onReady: (url: string) => void) => Promise<ExitCode>,
): Promise<ExitCode> {
  if (parentFd === undefined) return await run(() => {});
  const report = (update: ServerUpdate) => writeSync(parentFd, encodeServerUpdate(update));
  try {
    return await run((url) => report({ type: 'ready', url }));
  } catch (error) {
    report({ type: 'failed', error: toPlainError(error) });
    throw error;
  }
}
