import { readFileSync } from 'node:fs';
import { type Problem, SpeechfbError } from '../../errors.ts';
import { fileTrouble } from '../../file-trouble.ts';
import { fromEnvironment } from '../../secret-url.ts';
import { sha256 } from '../secrets.ts';

/** The tokens of the clients that may connect. */
export type Tokens = {
  /** How many there are. */
  readonly size: number;
  /**
   * The name that the token belongs to; undefined when it is nobody's. Takes the same time either
   * way, and however many tokens there are.
   */
  nameOf(token: string): string | undefined;
};

/**
 * Reads a token file: one `name token` a line, `#` comments and empty lines between; `${env:NAME}`
 * in a token is read from the environment.
 * @throws SpeechfbError `bad_token_file` with every bad line at once.
 */
export function readTokenFile(path: string): Tokens {
  return parseTokens(readTokenText(path), path);
}

/**
 * The text of a token file, which may be no such file.
 * @throws SpeechfbError `bad_token_file`
 */
export function readTokenText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new SpeechfbError('bad_token_file', `cannot read the token file ${path}: ${fileTrouble(cause)}`, { cause });
  }
}

/** Does what `readTokenFile` does, with text that has been read already. */
export function parseTokens(text: string, path: string): Tokens {
  const nameByDigest = new Map<string, string>();
  const problems: Problem[] = [];
  const names = new Set<string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const [name, written, ...rest] = line.trim().split(/\s+/);
    const where = `${path}:${index + 1}`;
    const token = filledIn(written ?? '', (message) => problems.push({ where, message }));
    if (token === undefined) continue;
    // A token is a secret: problems name the line and never quote it.
    if (!name || !token || rest.length > 0) problems.push({ where, message: 'is not "name token"' });
    else if (token.length < minTokenLength) problems.push({ where, message: tooShort(token.length) });
    else if (names.has(name)) problems.push({ where, message: `the name "${name}" is there twice` });
    else {
      names.add(name);
      nameByDigest.set(digestOf(token), name);
    }
  }
  if (problems.length === 0 && nameByDigest.size === 0) problems.push({ where: path, message: 'holds no token' });
  if (problems.length > 0) {
    throw new SpeechfbError('bad_token_file', `the token file ${path} cannot be used`, {
      problems,
      hint: 'one "name token" a line; make a token with: openssl rand -base64 24',
    });
  }
  return {
    size: nameByDigest.size,
    nameOf: (token) => nameByDigest.get(digestOf(token)),
  };
}

/** What is looked up: nobody can come closer to a digest letter by letter, whatever time tells. */
function digestOf(token: string): string {
  return sha256(token).toString('base64');
}

function filledIn(token: string, onProblem: (message: string) => void): string | undefined {
  try {
    return fromEnvironment(token);
  } catch (error) {
    if (!(error instanceof SpeechfbError)) throw error;
    onProblem(error.message);
    return undefined;
  }
}

const minTokenLength = 16;

function tooShort(length: number): string {
  return `the token has ${length} characters; at least ${minTokenLength} are needed`;
}
