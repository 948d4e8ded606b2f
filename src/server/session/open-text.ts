import { SpeechfbError } from '../../errors.ts';
import type { ReferenceInput } from '../../protocol/client-messages.ts';
import { countPhones, type Reference } from '../../scoring/text/reference.ts';
import { isSameLanguage } from '../hearing/language.ts';
import { unscoredReference } from '../hearing/unscored.ts';
import type { Refusal } from '../refusal.ts';
import type { ServerContext, WorkAccount } from './context.ts';

/** A text that was paid for and takes room until it is released; a second release does nothing. */
export type OpenText = { input: ReferenceInput; reference: Reference; release(): void };

/**
 * Reads a text at its sender's cost. It is charged by its length before it is looked at, so that a
 * text that is refused costs its sender too, then for the pronunciations that were found.
 *
 * @param language of the session: in one that the model does not know no pronunciations are found
 */
export function openText(
  { scoring, limits, engine }: ServerContext,
  work: WorkAccount,
  input: ReferenceInput,
  language: string,
): OpenText | Refusal {
  const length = writtenLength(input);
  const refusal = work.charge(length);
  if (refusal) return refusal;
  let reference = unscoredReference;
  try {
    if (isSameLanguage(language, engine.model.language)) {
      reference = scoring.readReference(input, limits.maxTextPhones);
    }
  } catch (error) {
    if (error instanceof SpeechfbError) return referenceRefusal(error);
    throw error;
  }
  const phones = countPhones(reference);
  const more = phones > length ? work.charge(phones - length) : undefined;
  if (more) return more;
  const release = work.hold(phones);
  return typeof release === 'function' ? { input, reference, release } : release;
}

/** Letters or given phones: about as many as the text has phones. */
export function writtenLength(input: ReferenceInput): number {
  if ('text' in input) return input.text.length;
  return input.words.reduce((total, { phones }) => total + phones.length, 0);
}

/** Why the scoring did not take a reference, in one sentence. */
function referenceRefusal({ message, problems, hint }: SpeechfbError): Refusal {
  const parts = [message, ...problems.map((problem) => problem.message), ...(hint ? [hint] : [])];
  return { code: 'invalid_reference', message: parts.join('; ') };
}
