import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import type { Credentials } from '../../client/dialect-links.ts';
import { readToken } from '../../client/token.ts';
import { despiteProblems, section, text } from '../../config/fields.ts';
import { SpeechfbError } from '../../errors.ts';
import { fromEnvironment } from '../../secret-url.ts';

const value = text('a value with ${env:NAME} or ${file:PATH} in it')
  .refine((given) => /\$\{(env|file):[^}]+\}/.test(given), {
    error: () => 'is a secret, which no file should hold; write ${env:NAME} or ${file:PATH} where it stands',
  })
  .describe('${env:NAME} is read from the environment, ${file:PATH} is the last word of the first line of a file.');

const one = section({
  header: text('the name of a header, as Authorization')
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { error: () => 'is no name of a header' })
    .refine((name) => !ours.test(name), { error: () => 'is a header of the upgrade itself' })
    .optional(),
  query: text('the name of a query parameter, as key').optional(),
  subprotocol: text('the subprotocol before the value, as token').optional(),
  value,
}).superRefine((given, context) => {
  const places = [given.header, given.query, given.subprotocol].filter((place) => place !== undefined).length;
  if (places !== 1)
    context.addIssue({ code: 'custom', message: 'says where the value goes in one of header, query, subprotocol' });
}, despiteProblems);

/** What callers show a server of any protocol: one place, or several. */
export const auth = z.union([one.transform((only) => [only]), z.array(one).min(1).max(8)]);

export type AuthSpec = z.output<typeof auth>;

export const noCredentials: Credentials = { headers: {}, query: {}, subprotocols: [], secrets: [] };

/**
 * Reads the values from the environment and from files beside the scenario. Throws
 * `unset_variable`, `unreadable_file` or `bad_token_file`, and quotes no secret.
 */
export function readCredentials(places: AuthSpec, scenarioFile: string): Credentials {
  const found = places.map((place) => ({ ...place, ...secretOf(place.value, dirname(scenarioFile)) }));
  const named = (key: 'header' | 'query') =>
    Object.fromEntries(found.flatMap((place) => (place[key] === undefined ? [] : [[place[key], place.text]])));
  return {
    headers: named('header'),
    query: named('query'),
    subprotocols: found.flatMap(({ subprotocol, text: shown }) =>
      subprotocol === undefined ? [] : [subprotocol, shown],
    ),
    secrets: found.flatMap(({ secrets }) => secrets),
  };
}

function secretOf(written: string, directory: string): { text: string; secrets: string[] } {
  const secrets: string[] = [];
  const text = written.replace(/\$\{(?:env|file):[^}]*\}/g, (reference) => {
    const file = /^\$\{file:(.*)\}$/.exec(reference)?.[1];
    const secret = file === undefined ? fromEnvironment(reference) : readToken(resolve(directory, file));
    secrets.push(secret);
    return secret;
  });
  if (!/^[\x20-\x7e]+$/.test(text))
    throw new SpeechfbError('bad_token_file', `what ${written} stands for has letters that are not ASCII`);
  return { text, secrets: [text, ...secrets, encodeURIComponent(text)] };
}

/** Headers that the upgrade has by itself. */
const ours = /^(host|upgrade|connection|sec-websocket-.*|content-length|transfer-encoding)$/i;
