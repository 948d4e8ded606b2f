import { SpeechfbError } from '../../errors.ts';
import { cleanText } from './clean-text.ts';
import { romanReadings } from './number-readings.ts';
import { numberRules } from './number-rules.ts';
import { nameOf, shorten, unreadableText } from './refusal.ts';
import { competing, type TextWord } from './text-word.ts';
import { signs } from './units.ts';

/** Limits of one reference; longer texts are read as several utterances. */
export const referenceLimits = { words: 500, wordLetters: 60, phonesInWord: 40 } as const;

/**
 * Splits a text into the words that a reader says. Punctuation is dropped, hyphens and slashes part
 * words, apostrophes stay; numbers and signs become words ("Room 42" -> room forty two, "3rd" ->
 * third, "$5" -> five dollars, "2 + 2" -> two plus two). What may be read in several ways has them
 * all (2024 -> two thousand twenty four or twenty twenty four). Nothing that would be said
 * vanishes: what cannot be read for certain is refused.
 *
 * @throws SpeechfbError `invalid_reference` for other scripts, no words, or more than
 *   `referenceLimits`; for a character that cannot be read aloud, with its place.
 */
export function splitWords(original: string): TextWord[] {
  const { text, places } = cleanText(original);
  const words: TextWord[] = [];
  for (let at = 0; at < text.length; ) {
    const found = firstMatch(text, at);
    if (found === undefined) throw refusal(original, text, at, places);
    words.push(...found.words);
    at = found.end;
    if (words.length > referenceLimits.words) break;
  }
  if (words.length === 0) {
    throw new SpeechfbError('invalid_reference', `the text "${shorten(original)}" has no words`, {
      hint: 'write the sentence that is read aloud, in English letters or digits',
    });
  }
  if (words.length > referenceLimits.words) {
    const counted = text.trim().split(/\s+/).length;
    throw new SpeechfbError(
      'invalid_reference',
      `the text has ${Math.max(counted, words.length)} words; at most ${referenceLimits.words} are scored at once`,
      { hint: 'split it into sentences and score them one after the other' },
    );
  }
  return words;
}

function firstMatch(text: string, at: number): { words: TextWord[]; end: number } | undefined {
  const isNearNumber = numeral.test(text.slice(at, at + longestBeforeNumeral + 1));
  for (const { pattern, read } of isNearNumber || letter.test(text[at]!) ? rules : otherRules) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    const words = match && read(match);
    if (match && words) return { words, end: pattern.lastIndex };
  }
  return undefined;
}

/** What is read aloud of a match; undefined when the rule does not hold for it after all. */
type Rule = { pattern: RegExp; read(match: RegExpExecArray): TextWord[] | undefined };

/** Whatever a number begins with but letters stands so near before its first digit at most. */
const longestBeforeNumeral = 4;
const numeral = /[\p{N}]/u;
const letter = /[A-Za-z]/;

/** What parts words and says nothing, which whole texts may be made of. */
const spaces: Rule = { pattern: /\s+/y, read: () => [] };

/** In order: the first that matches where no number is near. */
const otherRules: readonly Rule[] = [
  spaces,
  {
    // So long a mailbox is at most (RFC 5321, 4.5.3.1.1): what is none is not looked through again
    // and again.
    pattern: /[A-Za-z\d][\w.+-]{0,63}@(?:[A-Za-z\d-]+\.)+[A-Za-z]{2,}(?![\w@])/y,
    read: ([address]) => addressWords(address),
  },
  {
    pattern: /(?<![\w.@/])(?:[A-Za-z\d-]+\.)+(?:com|org|net|edu|gov|io|co|uk|de|fr|eu|info|app|dev|ai)(?![\w@/]|\.\w)/y,
    read: ([address]) => addressWords(address),
  },
  { pattern: /(?<![A-Za-z'])[A-Z]\+\+(?!\w)|(?<![A-Za-z'])[A-Z]#(?!\w)/y, read: ([name]) => languageName(name) },
  { pattern: /(?<![A-Za-z'])[IVXLCDM]{2,}(?![A-Za-z'])/y, read: ([letters]) => romanWords(letters) },
  { pattern: /(?<![A-Za-z'])[VX](?![A-Za-z'.])/y, read: ([letter]) => romanWords(letter) },
  {
    pattern: /'?[A-Za-z][A-Za-z']*(?:\.[A-Za-z](?![A-Za-z]))*/y,
    // Addresses with a scheme are read in too many ways.
    read: ({ 0: token, index, input }) =>
      input.startsWith('://', index + token.length) ? undefined : letterWord(token),
  },
  { pattern: /[&%+−=×÷±@§]/y, read: ([sign]) => competing({ readings: signs[sign]! }) },
  { pattern: /#(?=[A-Za-z])/y, read: () => competing({ readings: ['hashtag', 'hash'] }) },
  { pattern: /[.,;:!?"()\]¿¡'–—•]|\[(?!\d+\])/y, read: () => [] },
  // Between letters, at a word's end or alone these part words or say nothing.
  { pattern: /-+(?!\d)/y, read: () => [] },
  { pattern: /(?<=[A-Za-z])-(?=\d)/y, read: () => [] },
  { pattern: /(?<=[A-Za-z.])\/(?=[A-Za-z])/y, read: () => [] },
];

/** In order: the first that matches where the text goes on is used. */
const rules: readonly Rule[] = [
  spaces,
  ...numberRules.map(({ pattern, read }) => ({
    pattern,
    read: (match: RegExpExecArray) => read(match)?.flatMap(competing),
  })),
  ...otherRules.slice(1),
];

function letterWord(token: string): TextWord[] {
  // The dictionary knows 'em and dogs', so only a pair of quotes around a word goes.
  const bare = /^'.*'$/.test(token) ? token.slice(1, -1) : token;
  if (!/[A-Za-z]/.test(bare)) return [];
  if (bare.length > referenceLimits.wordLetters) {
    throw new SpeechfbError(
      'invalid_reference',
      `the word "${shorten(bare)}" has ${bare.length} letters; at most ${referenceLimits.wordLetters} are allowed`,
    );
  }
  return [{ shown: bare, spoken: bare.toLowerCase() }];
}

/** Capitals that may be a Roman number: the letters' own reading competes with it. */
function romanWords(letters: string): TextWord[] | undefined {
  const readings = romanReadings(letters);
  return (
    readings && [
      { shown: letters, spoken: letters.toLowerCase(), others: [...readings, [...letters.toLowerCase()].join(' ')] },
    ]
  );
}

function addressWords(address: string): TextWord[] | undefined {
  if (/\d{3}|\d\D+\d/.test(address)) return undefined;
  const names: Record<string, string[]> = {
    '.': ['dot'],
    '@': ['at'],
    '-': ['dash', 'hyphen'],
    _: ['underscore'],
    '+': ['plus'],
  };
  return (address.match(/[A-Za-z]+|\d+|[^A-Za-z\d]/g) ?? []).flatMap((part) => {
    if (/[A-Za-z]/.test(part)) return letterWord(part);
    const digits = /\d/.test(part) ? splitWords(part) : undefined;
    return digits ?? competing({ readings: names[part]! });
  });
}

function languageName(name: string): TextWord[] {
  const said = name.endsWith('#') ? ['sharp'] : ['plus', 'plus'];
  return [...letterWord(name[0]!), ...said.map((word) => ({ shown: word, spoken: word }))];
}

function refusal(original: string, text: string, at: number, places: readonly number[]): SpeechfbError {
  const token = /^\S+/.exec(text.slice(at))![0];
  const character = String.fromCodePoint(text.codePointAt(at)!);
  const isNumber = /^[-−+]?[.'(]?[\d$€£¥#]/.test(token);
  const start = text.slice(0, at).search(/\S+$/);
  const begin = start < 0 ? at : start;
  const whole = text.slice(begin).match(/^\S+/)![0];
  if (isNumber || /^[A-Za-z]+:\/\//.test(token)) {
    return unreadableText(original, `"${shorten(whole)}"`, places[begin]!, 'it may be read in too many ways');
  }
  return unreadableText(original, nameOf(character), places[at]!, 'how it is read aloud is not certain');
}
