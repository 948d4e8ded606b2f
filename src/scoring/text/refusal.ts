import { SpeechfbError } from '../../errors.ts';

/** The beginning of a text, as errors quote it. */
export function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}

/**
 * A text with something in it that nobody can read aloud for certain: what it is, and at which
 * character it stands, from 1.
 */
export function unreadableText(text: string, what: string, place: number, why: string): SpeechfbError {
  return new SpeechfbError(
    'invalid_reference',
    `the text "${shorten(text)}" has ${what} at character ${place + 1}: ${why}`,
    {
      hint: 'write it in words as it is said, or give each word with its phones',
    },
  );
}

/** `"±" (U+00B1)`; only the number of a character that cannot be seen. */
export function nameOf(character: string): string {
  const number = `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
  return /^[\p{C}\p{Z}\p{M}]/u.test(character) ? number : `"${character}" (${number})`;
}
