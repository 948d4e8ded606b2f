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
  const letters = word.replace(/[^a-z]/g, '');
  const padded = `#${letters}#`;
  const phones: string[] = [];
  for (let i = 1; i <= letters.length; i++) phones.push(...soundOf(rules, padded, i));
  return phones.length > 0 ? phones : ['AH'];
}

let rules: ReadonlyMap<string, readonly string[]> | undefined;

function soundOf(table: ReadonlyMap<string, readonly string[]>, padded: string, i: number): readonly string[] {
  for (const [left, right] of contexts) {
    if (i - left < 0 || i + right >= padded.length) continue;
    const found = table.get(`${padded.slice(i - left, i)}[${padded[i]}]${padded.slice(i + 1, i + 1 + right)}`);
    if (found) return found;
  }
  return [];
}

function readRules(): Map<string, readonly string[]> {
  const table = new Map<string, readonly string[]>();
  for (const [, context = '', phones = ''] of letterToSoundRules.matchAll(/(\S*\[.\][a-z#]*)([A-Z.]*)/g)) {
    table.set(context, phones === '' ? [] : phones.split('.'));
  }
  return table;
}
