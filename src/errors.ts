import { plainText, sentenceColumns } from './plain-text.ts';
import { redactUrls } from './redact.ts';

/** Exit codes of every command, one table. */
export const exitCodes = {
  /** Everything asked for was done and every objective was met. */
  pass: 0,
  /** A bug of ours. */
  bug: 1,
  /** Bad input or usage: the message says where, what was given and what is allowed. */
  usage: 2,
  /** Too little or untrustworthy data: nothing was proven. */
  invalid: 98,
  /** An objective, budget or limit was missed. */
  missed: 99,
  /** Stopped by Ctrl-C; partial results were written first. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What went wrong at one place of an input. */
export type Problem = {
  /** `file:line:column`, a flag's name, or a JSON path. */
  where?: string;
  message: string;
};

/**
 * The first eight of many problems, and one line for the rest: `and 12 more`, with `like` behind
 * it.
 */
export function firstProblems(all: readonly Problem[], like = ''): readonly Problem[] {
  const more = all.length - shownProblems;
  return more > 0 ? [...all.slice(0, shownProblems), { message: `and ${more} more${like}` }] : all;
}

const shownProblems = 8;

export type SpeechfbErrorOptions = {
  /** What the reader can do about it. */
  hint?: string;
  /** Every problem at once, when there is more than one. */
  problems?: readonly Problem[];
  exitCode?: ExitCode;
  cause?: unknown;
};

/**
 * An error whose cause lies outside the program: bad input, a missing file, a port in use. `code`
 * is a stable snake_case name with a heading in docs/errors.md. Anything else that is thrown is a
 * bug of ours.
 */
export class SpeechfbError extends Error {
  override readonly name = 'SpeechfbError' as const;
  readonly code: string;
  readonly hint: string | undefined;
  readonly problems: readonly Problem[];
  readonly exitCode: ExitCode;

  constructor(code: string, message: string, options: SpeechfbErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.problems = options.problems ?? [];
    this.exitCode = options.exitCode ?? exitCodes.usage;
  }
}

/**
 * The error as the lines that a terminal shows, no secret in their URLs and nothing foreign raw;
 * the only formatter.
 */
export function formatError(error: SpeechfbError): string {
  const lines = [`speechfb: ${shownSentence(error.message)} [${error.code}]`];
  for (const { where, message } of error.problems)
    lines.push(`  ${where ? `${plainText(where)}: ` : ''}${shownSentence(message)}`);
  if (error.hint) lines.push(`  hint: ${shownSentence(error.hint)}`);
  return lines.join('\n');
}

/** Secrets go first: half of a URL is none, and its password would be seen. */
function shownSentence(text: string): string {
  return plainText(redactUrls(text), sentenceColumns);
}
