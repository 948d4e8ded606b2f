import { letterToSoundRules } from './letter-to-sound-rules.ts';

/** Sizes of the contexts that rules have, longest first: letters to the left and to the right. */
const contexts: readonly (readonly [left: number, right: number])[] = [
  [4, 4],
  [3, 4],
  [2, 4],
  [3, 3],
  [1, 4],
  [3, 2],
  [2, 3],
  [3, 1],
  [1, 3],
  [2, 2],
  [0, 3],
  [2, 1],
  [1, 2],
  [0, 2],
  [1, 1],
  [1, 0],
  [0, 1],
  [0, 0],
];

/**
 * A likely pronunciation of a word that is in no dictionary, from its letters: ARPAbet without
 * stress, at least one phone. `word` is lower case; anything but a-z is passed over.
 */
export function soundOut(word: string): string[] {
  rules ??= readRules();
  const padded = digitsOf(`#${word.replace(/[^a-z]/g, '')}#`);
  const phones: string[] = [];
  for (let i = 1; i < padded.length - 1; i++) phones.push(...soundOf(rules, padded, i));
  return phones.length > 0 ? phones : ['AH'];
}

/** The rules of each size in `contexts`, by the number that the letters of the context are. */
type Rules = readonly ReadonlyMap<number, readonly string[]>[];

let rules: Rules | undefined;

function soundOf(tables: Rules, padded: readonly number[], i: number): readonly string[] {
  for (const [at, [left, right]] of contexts.entries()) {
    if (i - left < 0 || i + right >= padded.length) continue;
    const found = tables[at]!.get(numberOf(padded, i - left, i + right));
    if (found) return found;
  }
  return [];
}

function readRules(): Rules {
  const tables = contexts.map(() => new Map<number, readonly string[]>());
  for (const [, left = '', letter = '', right = '', phones = ''] of letterToSoundRules.matchAll(
    /([a-z#]*)\[(.)\]([a-z#]*)([A-Z.]*)/g,
  )) {
    const size = contexts.findIndex(([before, behind]) => before === left.length && behind === right.length);
    const digits = digitsOf(left + letter + right);
    tables[size]?.set(numberOf(digits, 0, digits.length - 1), phones === '' ? [] : phones.split('.'));
  }
  return tables;
}

/**
 * Letters as digits, so that no context has to be cut out and joined: a text of words that no rule
 * knows more of than their last letter took three times as long.
 */
function digitsOf(letters: string): number[] {
  return Array.from(letters, (letter) => (letter === '#' ? base - 1 : letter.charCodeAt(0) - beforeA));
}

/** Nine digits are a whole number. */
function numberOf(digits: readonly number[], from: number, to: number): number {
  let number = 0;
  for (let at = from; at <= to; at++) number = number * base + digits[at]!;
  return number;
}

const base = 28;
const beforeA = 96;
