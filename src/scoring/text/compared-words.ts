import { SpeechfbError } from '../../errors.ts';
import { splitWords } from './words.ts';

/**
 * The words of a transcript in the form in which it is compared with a text: in lower case, without
 * punctuation, in compatible characters (NFKC), with plain apostrophes; hyphens part words, and the
 * points of "a.m." go. English numbers and signs are spelled out as they are read ("$5" -> five
 * dollars), and abbreviations that are always read alike are. Scripts that write no spaces between
 * words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) count by characters, as is usual there.
 *
 * @param language BCP 47, as `en-US`.
 */
export function comparedWords(text: string, language: string): string[] {
  const whole = text.normalize('NFKC').replace(apostrophes, "'");
  const english = isEnglishTag(language);
  return plainWords(english && numbers.test(whole) ? spelled(whole) : whole, english);
}

/** A word of a text, and the ways in which a transcript may show it, each in compared words. */
export type ComparedWord = { shown: string; ways: readonly (readonly string[])[] };

/**
 * The words of a text as a reader says them. An English text that cannot be read for certain, and
 * every other text, has the words that are written, each in its one way.
 */
export function textWords(text: string, language: string): ComparedWord[] {
  const read = isEnglishTag(language) ? splitOrNot(text) : undefined;
  if (!read) return comparedWords(text, language).map((word) => ({ shown: word, ways: [[word]] }));
  return read.map(({ shown, spoken, others = [] }) => ({
    shown,
    ways: [spoken, ...others].map((reading) => plainWords(reading, true)),
  }));
}

function isEnglishTag(language: string): boolean {
  return /^en(-|$)/i.test(language);
}

const apostrophes = /[\u2018\u2019\u201b\u02bc\u02bb`\u00b4]/g;
const numbers = /[\d%&+=§±×÷°$£€¥½¼¾]/;
/** The points of e.g. and U.S. */
const dotted = /(?<![\p{L}\p{N}])(?:\p{L}\.){1,}\p{L}(?![\p{L}\p{N}])\.?/gu;
const word = /[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:'[\p{L}\p{M}\p{N}]+)*/gu;
const unspaced =
  /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]\p{M}*/u;
const oneByOne = new RegExp(`${unspaced.source}|(?:(?!${unspaced.source}).)+`, 'gu');

/** What English speakers read alike whichever way it is written. */
const sameInEnglish: Readonly<Record<string, string>> = {
  mr: 'mister',
  mrs: 'missus',
  dr: 'doctor',
  ok: 'okay',
  vs: 'versus',
};

function plainWords(text: string, english: boolean): string[] {
  const found = text
    .toLowerCase()
    .replace(dotted, (letters) => letters.replaceAll('.', ''))
    .match(word);
  return (found ?? []).flatMap((one) => {
    if (unspaced.test(one)) return one.match(oneByOne) ?? [];
    return [english && Object.hasOwn(sameInEnglish, one) ? sameInEnglish[one]! : one];
  });
}

/**
 * The text with its numbers as they are read; where it cannot be read as a whole, token by token,
 * and in a token that cannot be either its digits.
 */
function spelled(text: string): string {
  const whole = spokenOf(text);
  if (whole !== undefined) return whole;
  const tokens = text.split(/\s+/).map((token) => {
    if (!numbers.test(token)) return token;
    return spokenOf(token) ?? token.replace(/\d+/g, (digits) => ` ${spokenOf(digits) ?? digits} `);
  });
  return tokens.join(' ');
}

function spokenOf(text: string): string | undefined {
  return splitOrNot(text)
    ?.map(({ spoken }) => spoken)
    .join(' ');
}

function splitOrNot(text: string): ReturnType<typeof splitWords> | undefined {
  try {
    return splitWords(text);
  } catch (error) {
    if (error instanceof SpeechfbError) return undefined;
    throw error;
  }
}
