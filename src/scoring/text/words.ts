import { SpeechfbError } from '../../errors.ts';
import { largestNumber, ordinal, spellNumber, spellYear } from './numbers.ts';

/** Limits of one reference; longer texts are read as several utterances. */
export const referenceLimits = { words: 500, wordLetters: 60, phonesInWord: 40 } as const;

/** One word to be read: `shown` as the caller wrote it, `spoken` in lower case as the dictionary writes it. */
export type TextWord = { shown: string; spoken: string };

/**
 * Splits a text into the words that a reader says. Punctuation is dropped, hyphens and slashes part words, apostrophes
 * stay, numbers become words up to 999,999,999 ("Room 42" -> room forty two, "3rd" -> third, "1990" -> nineteen ninety, "$5" ->
 * five dollars), & and % become "and" and "percent".
 *
 * @throws SpeechfbError `invalid_reference` for other scripts, no words, or more than `referenceLimits`.
 */
export function splitWords(text: string): TextWord[] {
  const plain = text.normalize('NFKC').replace(/[\u2018\u2019\u02bc`]/g, "'");
  // Letters with accents are English loans more often than not (café): keep the letter, drop the mark.
  const bare = plain.normalize('NFD').replace(/\p{M}+/gu, '');
  const folded = bare.replaceAll('&', ' and ').replaceAll('%', ' percent ');
  refuseOtherScripts(folded, text);
  const words: TextWord[] = [];
  for (const token of folded.match(
    /\$?\d[\d,]*(?:\.\d+)?(?:(?:st|nd|rd|th)(?![A-Za-z]))?|[A-Za-z']+(?:\.[A-Za-z](?![A-Za-z]))*/g,
  ) ?? []) {
    if (/^\$?\d/.test(token)) words.push(...numberWords(token));
    else words.push(...letterWord(token));
  }
  if (words.length === 0) {
    throw new SpeechfbError('invalid_reference', `the text "${shorten(text)}" has no words`, {
      hint: 'write the sentence that is read aloud, in English letters or digits',
    });
  }
  if (words.length > referenceLimits.words) {
    throw new SpeechfbError(
      'invalid_reference',
      `the text has ${words.length} words; at most ${referenceLimits.words} are scored at once`,
      { hint: 'split it into sentences and score them one after the other' },
    );
  }
  return words;
}

function refuseOtherScripts(folded: string, original: string): void {
  const foreign = [...new Set(folded.match(/[^\p{Script=Latin}\p{P}\p{S}\p{N}\p{Z}\p{C}]|[^\P{N}0-9]/gu) ?? [])];
  const latin = [...new Set(folded.match(/(?![A-Za-z])\p{Script=Latin}/gu) ?? [])];
  const odd = [...foreign, ...latin];
  if (odd.length === 0) return;
  const more = odd.length > 10 ? ` and ${odd.length - 10} more` : '';
  throw new SpeechfbError(
    'invalid_reference',
    `the text "${shorten(original)}" has characters outside English: ${odd.slice(0, 10).join(' ')}${more}`,
    { hint: 'write it in the letters a-z, or give each word with its phones' },
  );
}

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

function numberWords(token: string): TextWord[] {
  const [, dollar, number = '', suffix] = /^(\$?)([\d,.]+)(\w*)$/.exec(token)!;
  const [whole = '', fraction] = number.replaceAll(',', '').split('.');
  return speak(whole, fraction, {
    isMoney: dollar === '$',
    isOrdinal: suffix !== '',
    hasCommas: number.includes(','),
  }).map((word) => ({ shown: word, spoken: word }));
}

type NumberKind = { isMoney: boolean; isOrdinal: boolean; hasCommas: boolean };

function speak(whole: string, fraction: string | undefined, { isMoney, isOrdinal, hasCommas }: NumberKind): string[] {
  const value = Number(whole);
  // A number too long to be one ("0049 30 ..."), or with leading zeros, is read digit by digit.
  const asDigits = value > largestNumber || /^0\d/.test(whole);
  if (isMoney && !asDigits) {
    const amount = [...spellNumber(value), value === 1 ? 'dollar' : 'dollars'];
    if (fraction === undefined || Number(fraction) === 0) return amount;
    if (fraction.length === 2)
      return [...amount, 'and', ...spellNumber(Number(fraction)), fraction === '01' ? 'cent' : 'cents'];
  }
  if (isOrdinal && fraction === undefined && !asDigits) return ordinal(spellNumber(value));
  // Four digits without a comma are a year more often than a count.
  const isYear = fraction === undefined && !hasCommas && /^1[1-9]\d\d$/.test(whole);
  const spoken = asDigits ? digits(whole) : isYear ? spellYear(value) : spellNumber(value);
  return fraction === undefined ? spoken : [...spoken, 'point', ...digits(fraction)];
}

function digits(text: string): string[] {
  return [...text].flatMap((digit) => spellNumber(Number(digit)));
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}
