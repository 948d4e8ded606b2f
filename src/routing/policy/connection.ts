import type { z } from 'zod';
import { duration, integer, shown, text } from '../../config/fields.ts';
import { redactUrl } from '../../redact.ts';
import type { BackendKind } from './capabilities.ts';
import { script } from './script.ts';

const secret = text('${env:NAME} or ${file:PATH}').regex(/^\$\{(env:\w+|file:[^}]+)\}$/, {
  error: () => 'is a secret, which no file should hold; write ${env:NAME} or ${file:PATH}',
});

/** How a backend is reached: each field with the kinds that it is for. */
export const connectionFields = {
  /** Where it is; left out: at its vendor. `${env:NAME}` in it is read from the environment. */
  url: text('a URL such as wss://host').optional(),
  /** `${file:PATH}` is the last word of the first line of a file beside the policy. */
  apiKey: secret.optional(),
  /** At its vendor; of a local one its folder beside the policy, or the name of one that ships. */
  model: text('the name of a model').optional(),
  /** What it hears, samples a second; sessions are brought to it. */
  sampleRate: integer(8000, 48_000)
    .multipleOf(50, { error: () => 'is no multiple of 50 Hz' })
    .optional(),
  /** A PEM file of the authority that has signed its certificate, beside the system's. */
  ca: text('a PEM file').optional(),
  /** Asks a second time when no text has come for so long, and takes what comes first. */
  hedgeAfter: duration(10, 60_000).optional(),
  /** Where its model is. */
  directory: text('a directory').optional(),
  script: script.optional(),
};

const managed = ['deepgram', 'openai-realtime', 'http-batch'] as const;

const kindsOf: Readonly<Record<keyof typeof connectionFields, readonly BackendKind[]>> = {
  url: managed,
  apiKey: managed,
  model: [...managed, 'local'],
  sampleRate: ['deepgram', 'openai-realtime'],
  ca: managed,
  hedgeAfter: ['http-batch'],
  directory: ['sherpa-onnx'],
  script: ['scripted'],
};

type Connection = z.output<z.ZodObject<typeof connectionFields>> & { kind: BackendKind };

/** Each field is one of the backend's kind, and the URL one that the kind can connect to. */
export function checkConnection(given: Connection, context: z.RefinementCtx): void {
  for (const [field, kinds] of Object.entries(kindsOf))
    if (given[field as keyof typeof kindsOf] !== undefined && !kinds.includes(given.kind)) {
      const own = field === 'directory' && given.kind === 'local' ? '; write model: with its folder' : '';
      const message = `is for backends of kind ${kinds.join(', ')}; this is ${given.kind}${own}`;
      context.addIssue({ code: 'custom', path: [field], message });
    }
  const refuse = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
  const { url, kind, ca, directory } = given;
  if (kind === 'sherpa-onnx' && directory === undefined)
    refuse('directory', 'is missing; write the directory of its streaming model');
  if (url === undefined || !kindsOf.url.includes(kind)) return;
  const problem = problemOfUrl(url, kind);
  if (problem !== undefined) refuse('url', problem);
  else if (ca !== undefined && /^(ws|http):/i.test(url))
    refuse('ca', `signs certificates, and ${shown(url)} has none; write ${kind === 'http-batch' ? 'https' : 'wss'}://`);
}

/** What a backend of a kind has of its own that no other has, to compare it with others of that. */
export function placeOf(backend: Connection): string {
  const names = Object.keys(connectionFields) as (keyof typeof connectionFields)[];
  return JSON.stringify([backend.kind, ...names.map((name) => backend[name] ?? null)]);
}

/** What is wrong with a URL; none of its secrets is in the sentence. */
function problemOfUrl(url: string, kind: BackendKind): string | undefined {
  const told = redactUrl(url);
  if (told !== url.trim() && holdsSecret(url))
    return `${shown(told)} holds a password or a key, which no file should; write \${env:NAME} in its place`;
  // A URL that begins with a variable is looked at when the variable is known.
  if (url.startsWith('${')) return undefined;
  const schemes = kind === 'http-batch' ? ['http', 'https'] : ['ws', 'wss'];
  const isOne = schemes.some((scheme) => url.toLowerCase().startsWith(`${scheme}://`));
  if (isOne && URL.canParse(url.replace(/\$\{env:\w+\}/g, '1'))) return undefined;
  return `${shown(told)} is no URL for ${kind}; allowed: ${schemes.map((one) => `${one}://host:port`).join(', ')}`;
}

/** Whether a user, a fragment or a part of the query is written out that opens something. */
function holdsSecret(url: string): boolean {
  const [place = '', query = ''] = url.replace(/\$\{env:\w+\}/g, '').split('?');
  const [, user] = /^[a-z][a-z0-9+.-]*:\/\/([^/#]*)@/i.exec(place) ?? [];
  if ((user ?? '').replaceAll(':', '') !== '' || url.includes('#')) return true;
  return query.split('&').some((part) => {
    const [name = '', value = ''] = part.split('=');
    return part.includes('=') ? value !== '' && secretNames.test(name) : part !== '';
  });
}

/** `api_key`, `access-token`, `sig`; not `keywords`. */
const secretNames = /(^|[^a-z]|api|access|client)(key|token|secret|pass|password|auth|sig|signature|credentials?)$/i;
