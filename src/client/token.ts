import { readText } from '../config/read-chunks.ts';
import { SpeechfbError } from '../errors.ts';

/**
 * A bearer token from a file: the last word of its first line, so that a line of the server's token file does too. Throws
 * `unreadable_file`, and `bad_token_file` for what a header cannot carry; the token is never shown.
 */
export function readToken(file: string): string {
  const token = readText(file, 'token file').split('\n', 1)[0]!.trim().split(/\s+/).at(-1);
  if (!token) throw new SpeechfbError('bad_token_file', `the first line of "${file}" is empty; it should hold a token`);
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  const message = `the last word of the first line of "${file}" is no token: it has letters that are not ASCII`;
  throw new SpeechfbError('bad_token_file', message);
}
