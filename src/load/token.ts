import { readFileSync } from 'node:fs';
import { unreadable } from '../config/read-chunks.ts';
import { SpeechfbError } from '../errors.ts';

/** A bearer token from a file: the last word of its first line, so that a line of the server's token file does too. */
export function readToken(file: string): string {
  let source: string;
  try {
    source = readFileSync(file, 'utf8');
  } catch (cause) {
    throw unreadable(file, 'token file', cause);
  }
  const token = source.split('\n', 1)[0]!.trim().split(/\s+/).at(-1);
  if (token) return token;
  throw new SpeechfbError('bad_token_file', `the first line of "${file}" is empty; it should hold a token`);
}
