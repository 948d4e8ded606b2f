import { formatError, SpeechfbError } from '../../src/errors.ts';

/** What `run` is refused for, as a user reads it. Anything but a refusal of ours fails the test. */
export function problemsOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof SpeechfbError) return formatError(error);
    throw error;
  }
  throw new Error('nothing was refused');
}
