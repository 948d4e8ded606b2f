import type { z } from 'zod';
import { duration, integer, shown, text } from '../../config/fields.ts';
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
  model: managed,
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
      const message = `is for backends of kind ${kinds.join(', ')}; this is ${given.kind}`;
      context.addIssue({ code: 'custom', path: [field], message });
    }
  const { url, kind } = given;
  if (!kindsOf.url.includes(kind)) return;
  const schemes = kind === 'http-batch' ? ['http', 'https'] : ['ws', 'wss'];
  // A URL that begins with a variable is looked at when the variable is known.
  if (url === undefined || url.startsWith('${') || schemes.some((scheme) => url.startsWith(`${scheme}://`))) return;
  const message = `${shown(url)} is no URL for ${kind}; allowed: ${schemes.map((one) => `${one}://host:port`).join(', ')}`;
  context.addIssue({ code: 'custom', path: ['url'], message });
}
