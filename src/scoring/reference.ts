/** The text to be read, as pronunciations: what the aligner walks through. */
export type Reference = { words: readonly ReferenceWord[] };

export type ReferenceWord = {
  /** As the caller wrote it. */
  text: string;
  /** One or more pronunciations, ARPAbet without stress; the first is the dictionary's first. */
  variants: readonly (readonly string[])[];
  source: 'dictionary' | 'letter_to_sound' | 'given';
};
