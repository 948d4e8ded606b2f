import { type ExitCode, type Problem, SpeechfbError } from '../errors.ts';

export type PlainError = {
  code: string | undefined;
  message: string;
  hint: string | undefined;
  problems: readonly Problem[];
  exitCode: ExitCode | undefined;
};

/** An error as data, for a message between threads. */
export function toPlainError(error: unknown): PlainError {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof SpeechfbError)) {
    return { code: undefined, message, hint: undefined, problems: [], exitCode: undefined };
  }
  return { code: error.code, message, hint: error.hint, problems: error.problems, exitCode: error.exitCode };
}

export function fromPlainError(plain: PlainError): Error {
  if (plain.code === undefined) return new Error(plain.message);
  const { hint, problems, exitCode } = plain;
  return new SpeechfbError(plain.code, plain.message, {
    problems,
    ...(hint !== undefined && { hint }),
    ...(exitCode !== undefined && { exitCode }),
  });
}
