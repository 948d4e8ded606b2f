import { z } from 'zod';

const count = z.int().min(0);
const amount = z.number().min(0);
/** The first 16 hexadecimal digits of SHA-256. */
const pseudonym = z.string().regex(/^[0-9a-f]{16}$/);

/** What one backend did with an utterance. */
const side = z.object({
  backend: z.string().min(1),
  /** Name and version of the server's model that it was; null: it was another's. */
  model: z.string().nullable().default(null),
  /** Words that it wrote. */
  words: count,
  /** Words that are wrong beside the text to be read; null: no text is known. */
  wrong: count.nullable(),
  /** From the end of the utterance to the final text; null: none came. */
  final_ms: amount.nullable(),
  /** Sound that it was given. */
  audio_ms: amount,
  dollars: amount,
  /** Why it could not go on; null: it could. */
  failed: z.enum(['rate', 'budget', 'auth', 'fault']).nullable(),
});

/**
 * One line of a shadow log: an utterance as the backend that serves it heard it and, where a shadow
 * listens, as that did. Numbers alone: no word, no voice, no name.
 */
export const shadowRecord = z.object({
  v: z.literal(1, { error: (issue) => `${JSON.stringify(issue.input)} is another version; this reads 1` }),
  at: z.iso.datetime(),
  learner: pseudonym,
  session: pseudonym,
  utterance: count,
  language: z.string().min(1),
  /** Which side of a canary its session is of, and of which; null: of none. */
  variant: z.enum(['canary', 'baseline']).nullable(),
  canary: z.string().nullable(),
  /** Words of the text to be read; null: no text is known. */
  words: count.nullable(),
  served: side,
  shadow: side.nullable(),
  /** Words in which both differ; null: not both wrote a final text. */
  between: count.nullable(),
  /** Phones that both have scored, and the sum of what they are apart, 0-100 each; null: none. */
  phones: z
    .object({ compared: z.int().min(1), apart: amount })
    .nullable()
    .default(null),
});

export type ShadowRecord = z.output<typeof shadowRecord>;
export type ShadowSide = ShadowRecord['served'];
