import { timingSafeEqual } from 'node:crypto';
import { type Problem, SpeechfbError } from '../errors.ts';
import { fromEnvironment } from '../secret-url.ts';
import { sha256 } from '../server/secrets.ts';

/** What a token may do: look, or also change. */
export type AdminRole = 'read' | 'operate';

/** The name and role of a token that was shown. */
export type AdminCaller = { name: string; role: AdminRole };

/** The tokens of those who run a server. */
export type AdminTokens = {
  /** Undefined: nobody's. Takes the same time whatever is given. */
  callerOf(token: string): AdminCaller | undefined;
};

/**
 * Reads the text of an admin token file: one `name role token` a line, `#` comments and empty
 * lines between; `${env:NAME}` in a token is read from the environment.
 * @throws SpeechfbError `bad_token_file` with every bad line at once, no token in it.
 */
export function parseAdminTokens(text: string, path: string): AdminTokens {
  const problems: Problem[] = [];
  const known: { digest: Buffer; caller: AdminCaller }[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const read = readLine(line, known);
    if ('problem' in read) problems.push({ where: `${path}:${index + 1}`, message: read.problem });
    else known.push({ digest: sha256(read.token), caller: read.caller });
  }
  if (problems.length === 0 && known.length === 0) problems.push({ where: path, message: 'holds no token' });
  if (problems.length > 0) {
    throw new SpeechfbError('bad_token_file', `the admin token file ${path} cannot be used`, {
      problems,
      hint: 'one "name role token" a line, role read or operate; make a token with: openssl rand -base64 24',
    });
  }
  return {
    callerOf(token) {
      const digest = sha256(token);
      let found: AdminCaller | undefined;
      for (const one of known) if (timingSafeEqual(one.digest, digest)) found = one.caller;
      return found;
    },
  };
}

function readLine(
  line: string,
  known: readonly { digest: Buffer; caller: AdminCaller }[],
): { token: string; caller: AdminCaller } | { problem: string } {
  const [name, role, written, ...rest] = line.trim().split(/\s+/);
  if (!name || !role || !written || rest.length > 0) return { problem: 'is not "name role token"' };
  // What stands there instead may be a token: problems never quote it.
  if (role !== 'read' && role !== 'operate') return { problem: 'has a role that is neither read nor operate' };
  if (known.some(({ caller }) => caller.name === name)) return { problem: `the name "${name}" is there twice` };
  try {
    const token = fromEnvironment(written);
    if (token.length < minTokenLength) {
      return { problem: `the token has ${token.length} characters; at least ${minTokenLength} are needed` };
    }
    const digest = sha256(token);
    const same = known.find((one) => one.digest.equals(digest));
    if (same) return { problem: `the token is that of "${same.caller.name}" too` };
    return { token, caller: { name, role } };
  } catch (error) {
    if (!(error instanceof SpeechfbError)) throw error;
    return { problem: error.message };
  }
}

const minTokenLength = 16;
