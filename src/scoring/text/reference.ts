import { firstFew } from '../../config/sentences.ts';
import { SpeechfbError } from '../../errors.ts';
import { soundOut } from './letter-to-sound.ts';
import { pronunciations } from './lexicon.ts';
import { arpabet, parsePhone } from './phones.ts';
import { shorten } from './refusal.ts';
import type { TextWord } from './text-word.ts';
import { referenceLimits, splitWords } from './words.ts';

/** The text to be read, as pronunciations: what the aligner walks through. */
export type Reference = { words: readonly ReferenceWord[] };

type ReferenceWord = {
  /** As the caller wrote it. */
  text: string;
  /** One or more pronunciations, ARPAbet without stress; the first is the dictionary's first. */
  variants: readonly (readonly string[])[];
  source: 'dictionary' | 'letter_to_sound' | 'given';
  /** What is said in each variant of a word that may be read in several ways (2024). */
  readings?: readonly string[];
};

/** A text, or words with the phones that are expected of each. */
export type ReferenceSource = { text: string } | { words: GivenWords };

type GivenWords = readonly { text: string; phones: readonly string[] }[];

/**
 * Finds the pronunciations of what is to be read. Words outside the dictionary are sounded out from
 * their letters.
 *
 * @throws SpeechfbError `invalid_reference`, naming the words, characters or phones that it could
 *   not take, or for more phones than `mostPhones`, those of all pronunciations counted.
 */
export function resolveReference(source: ReferenceSource, mostPhones = Number.POSITIVE_INFINITY): Reference {
  const words = 'text' in source ? fromText(source.text, mostPhones) : fromPhones(source.words, mostPhones);
  return { words };
}

/** Phones of all pronunciations of all words: what a text costs to search. */
export function countPhones({ words }: Reference): number {
  return words.reduce((total, word) => total + phonesOf(word), 0);
}

function phonesOf({ variants }: ReferenceWord): number {
  return variants.reduce((total, phones) => total + phones.length, 0);
}

function fromText(text: string, mostPhones: number): ReferenceWord[] {
  let phones = 0;
  return splitWords(text).map((word) => {
    const found = word.others ? fromReadings(word, word.others, text) : fromWord(word, text);
    phones += phonesOf(found);
    if (phones > mostPhones) throw tooManyPhones('more', mostPhones);
    return found;
  });
}

function tooManyPhones(count: number | 'more', mostPhones: number): SpeechfbError {
  const given = count === 'more' ? `more than ${mostPhones} phones` : `${count} phones`;
  return new SpeechfbError(
    'invalid_reference',
    `the text has ${given} in all its pronunciations; at most ${mostPhones} are scored at once (max_text_phones)`,
    { hint: 'split it into sentences and score them one after the other' },
  );
}

function fromWord({ shown, spoken }: TextWord, text: string): ReferenceWord {
  const known = lookUp(spoken);
  if (known.length > 0) return { text: shown, variants: known, source: 'dictionary' };
  return { text: shown, variants: soundedOut(shown, text), source: 'letter_to_sound' };
}

/** All readings of a word side by side: the alignment finds the one that was said. */
function fromReadings({ shown, spoken }: TextWord, others: readonly string[], text: string): ReferenceWord {
  // Letters that are no word (XIV) are not sounded out: their other readings say what they are.
  const isSaid = spoken.includes(' ') || lookUp(spoken).length > 0;
  const sources = new Set<ReferenceWord['source']>();
  const found = (isSaid ? [spoken, ...others] : others).flatMap((reading) => {
    const words = reading.split(' ').map((word) => fromWord({ shown: word, spoken: word }, text));
    for (const { source } of words) sources.add(source);
    return joined(words).map((phones) => ({ reading, phones }));
  });
  const variants = found.slice(0, mostVariants);
  return {
    text: shown,
    variants: variants.map(({ phones }) => phones),
    source: sources.has('letter_to_sound') ? 'letter_to_sound' : 'dictionary',
    readings: variants.map(({ reading }) => reading),
  };
}

/**
 * The pronunciations of words said one after the other; the first of each word where all together
 * would be too many.
 */
function joined(words: readonly ReferenceWord[]): string[][] {
  const count = words.reduce((product, { variants }) => product * variants.length, 1);
  return words.reduce<string[][]>(
    (heads, { variants }) => {
      const taken = count > mostJoined ? variants.slice(0, 1) : variants;
      return heads.flatMap((head) => taken.map((phones) => [...head, ...phones]));
    },
    [[]],
  );
}

/** Variants of one word, and of one of its readings. */
const mostVariants = 96;
const mostJoined = 8;

/**
 * An unknown word without vowels, or in capitals among small letters, may be said letter by letter:
 * PBX, IVR.
 */
function soundedOut(shown: string, text: string): string[][] {
  const word = shown.toLowerCase();
  const letters = shown.replace(/[^A-Za-z]/g, '');
  const spelled = [...letters.toLowerCase()].flatMap((letter) => pronunciations(`${letter}.`)[0] ?? []);
  if (!/[aeiouy]/i.test(letters)) return [spelled];
  const stands = letters.length <= 5 && letters === letters.toUpperCase() && /[a-z]/.test(text);
  return stands ? [soundOut(word), spelled] : [soundOut(word)];
}

/**
 * The word itself, as an abbreviation (a.m.), or without an apostrophe that only quotes or closes
 * it (dogs').
 */
function lookUp(spoken: string): readonly (readonly string[])[] {
  const long = abbreviations.get(spoken)?.flatMap(pronunciations);
  if (long) return long;
  for (const form of [spoken, `${spoken}.`, spoken.replace(/^'+|'+$/g, '')]) {
    const found = form === '' ? [] : pronunciations(form);
    if (found.length > 0) return found;
  }
  return [];
}

/**
 * What is said for short forms of which the dictionary has nothing, or one reading alone (Dr. Smith
 * lives on Mill Dr.).
 */
const abbreviations = new Map([
  ['dr', ['doctor', 'drive']],
  ['st', ['saint', 'street']],
  ['prof', ['professor']],
  ['vs', ['versus']],
]);

function fromPhones(words: GivenWords, mostPhones: number): ReferenceWord[] {
  const count = words.reduce((total, { phones }) => total + phones.length, 0);
  if (count > mostPhones) throw tooManyPhones(count, mostPhones);
  if (words.length === 0 || words.length > referenceLimits.words) {
    throw new SpeechfbError(
      'invalid_reference',
      `the reference has ${words.length} words; 1 to ${referenceLimits.words} are allowed`,
    );
  }
  const unknown: string[] = [];
  const result = words.map((word) => {
    const phones = word.phones.map((text) => {
      const phone = parsePhone(text);
      if (phone === undefined) unknown.push(`${shorten(text)} in "${shorten(word.text)}"`);
      return phone ?? '';
    });
    if (phones.length === 0 || phones.length > referenceLimits.phonesInWord) {
      throw new SpeechfbError(
        'invalid_reference',
        `the word "${shorten(word.text)}" has ${phones.length} phones; 1 to ${referenceLimits.phonesInWord} are allowed`,
      );
    }
    return { text: word.text, variants: [phones], source: 'given' as const };
  });
  if (unknown.length > 0) {
    throw new SpeechfbError('invalid_reference', `unknown phones: ${firstFew(unknown, (phone) => phone)}`, {
      hint: `ARPAbet phones, with or without a stress digit: ${arpabet.join(' ')}`,
    });
  }
  return result;
}
