import { readText } from '../config/read-chunks.ts';
import { SpeechfbError } from '../errors.ts';
import { fromEnvironment } from '../secret-url.ts';

/**
 * A bearer token from a file: the last word of its first line, so that a line of the server's token
 * file does too; `${env:NAME}` in it is read from the environment. Throws `unreadable_file`,
 * `unset_variable`, and `bad_token_file` for what a header cannot carry; the token is never shown.
 */
export function readToken(file: string): string {
  const word = readText(file, 'token file').split('\n', 1)[0]!.trim().split(/\s+/).at(-1);
  if (!word) throw new SpeechfbError('bad_token_file', `the first line of "${file}" is empty; it should hold a token`);
  return checked(fromEnvironment(word), `the last word of the first line of "${file}"`);
}

/** A bearer token that is written as `${env:NAME}`. Throws as `readToken`. */
export function tokenOf(reference: string): string {
  return checked(fromEnvironment(reference), `what ${reference} stands for`);
}

function checked(token: string, what: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  const message = `${what} is no token: it has ${/\s/.test(token) ? 'blanks' : 'letters that are not ASCII'}`;
  throw new SpeechfbError('bad_token_file', message);
}
