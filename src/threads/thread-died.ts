import { exitCodes, SpeechfbError } from '../errors.ts';

/**
 * The error of whatever a thread had in hand when it died: `what` is the thread, `hint` what its
 * user can do.
 */
export function threadDied(code: string, what: string, cause: unknown, hint: string): SpeechfbError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SpeechfbError(code, `${what} died: ${why}`, { hint, exitCode: exitCodes.bug, cause });
}
