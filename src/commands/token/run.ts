import { type ExitCode, exitCodes, SpeechfbError } from '../../errors.ts';
import { newApiToken } from '../../server/tenants/api-tokens.ts';
import { printJson, say } from '../output.ts';
import { printReport } from '../terminal.ts';
import type { TokenNewFlags } from './flags.ts';

/** Prints a new token, which nobody can be told again, and the entry of it for the file. */
export async function runTokenNew({ tenant, user, expires, json }: TokenNewFlags): Promise<ExitCode> {
  if (!/^[a-z0-9][a-z0-9._-]{0,62}$/.test(tenant)) {
    const allowed = 'a to z, 0 to 9, ".", "_", "-"; 63 characters at most';
    throw new SpeechfbError('bad_flag', `--tenant "${tenant}" is no name of a tenant; allowed: ${allowed}`);
  }
  if (user !== undefined && (user === '' || user.length > 128)) {
    throw new SpeechfbError('bad_flag', '--user: a name has 1 to 128 characters');
  }
  if (expires !== undefined && !isTime(expires)) {
    throw new SpeechfbError('bad_flag', `--expires "${expires}" is no time such as 2027-01-31T00:00:00Z`);
  }
  const { token, id, hash } = await newApiToken();
  const entry = { id, hash, ...(user !== undefined && { user }), ...(expires !== undefined && { expires }) };
  if (json) printJson({ tenant, token, entry });
  else printReport({ token, entry }, (shown) => `${shown.token}\n- ${flowMapping(shown.entry)}\n`);
  say(`the token is shown this once; the line goes under tokens of "${tenant}" in the tenants file`);
  return exitCodes.pass;
}

/** One line of YAML; each value as JSON, which is YAML too. */
function flowMapping(entry: Record<string, string>): string {
  const pairs = Object.entries(entry).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return `{ ${pairs.join(', ')} }`;
}

function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text));
}
