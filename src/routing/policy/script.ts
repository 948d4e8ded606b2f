import { z } from 'zod';
import { duration, oneOf, percentField, section, text } from '../../config/fields.ts';

const hour = 3_600_000;

/** What goes wrong with a scripted backend while its time is within `from` and `from` + `for`. */
const fault = section({
  /**
   * `refuse` and `ignore` are about sessions that begin, the others about those that run: `hang`
   * says nothing more, `cut` ends them, `rubbish` is what nobody understands, `slow` is late.
   */
  kind: oneOf(['refuse', 'ignore', 'hang', 'cut', 'rubbish', 'slow']),
  from: duration(0, 24 * hour).prefault('0ms'),
  for: duration(1, 24 * hour).optional(),
  /** Sessions that it hits, drawn by their names. */
  share: percentField().prefault('100%'),
  /** The class of a refusal. */
  as: oneOf(['rate', 'budget', 'auth', 'fault']).prefault('fault'),
  /** How long a refusal asks to be left alone. */
  retryAfter: duration(0, hour).optional(),
  /** How much later what is slow comes. */
  by: duration(1, hour).prefault('5s'),
});

/** What a scripted backend says, and what goes wrong with it. */
export const script = section({
  /**
   * Texts of each utterance, by how much of its sound was heard; left out: its reference, word by
   * word.
   */
  says: z
    .array(section({ at: duration(0, hour), text: text('what is said then') }))
    .min(1, { error: () => 'is empty; say something, or leave it out for the reference' })
    .optional(),
  /** How long a word of the reference takes. */
  word: duration(10, 60_000).prefault('400ms'),
  /** How long each answer takes. */
  delay: duration(0, 60_000).prefault('100ms'),
  faults: z.array(fault).default([]),
});

export type Script = z.output<typeof script>;
export type ScriptFault = z.output<typeof fault>;
