import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parsePhone } from './phones.ts';

/**
 * Every pronunciation that the CMU dictionary gives `word` (lower case), without stress, the
 * dictionary's first first; empty when the word is not in it.
 *
 * The package is 4.7 MB of sorted lines. Importing it costs 320 ms, reading the file 7 ms, so it is
 * read as text, once, and searched by halves (about 10 us a word). What was found is remembered:
 * few words make most texts.
 */
export function pronunciations(word: string): readonly (readonly string[])[] {
  const known = remembered.get(word);
  if (known) return known;
  const found = search(word);
  if (remembered.size >= mostRemembered) remembered.delete(remembered.keys().next().value!);
  if (word.length <= longestRemembered) remembered.set(word, found);
  return found;
}

/** Words that were looked for, those that are in no dictionary among them. */
const remembered = new Map<string, readonly (readonly string[])[]>();
/** Some megabyte in all. */
const mostRemembered = 4000;
/** A longer word would be a view of the text that it came from, and keep all of that. */
const longestRemembered = 12;

function search(word: string): string[][] {
  dictionary ??= readFileSync(fileURLToPath(import.meta.resolve('cmu-pronouncing-dictionary')));
  const found = new Map<string, string[]>();
  // Two entries of the file are out of order by one line, so look a little around the place where
  // the word should be.
  let at = lineBack(dictionary, findPlace(dictionary, word), 3);
  for (let line = 0, matched = false; line < 16; line++) {
    const entry = parseEntry(dictionary, at);
    if (entry === undefined) break;
    if (entry.word === word) {
      const phones = entry.phones.map(parsePhone).filter((phone) => phone !== undefined);
      found.set(phones.join(' '), phones);
      matched = true;
    } else if (matched) break;
    at = entry.next;
  }
  return [...found.values()];
}

let dictionary: Buffer | undefined;

const newline = 0x0a;

type Entry = { word: string; phones: string[]; next: number };

/** `  "read(2)": "R IY1 D",` at byte `at`; comments after # are not phones. */
function parseEntry(file: Buffer, at: number): Entry | undefined {
  const end = file.indexOf(newline, at);
  if (end < 0) return undefined;
  const match = /^ {2}"([^"(]+)(?:\(\d\))?": "([^"#]*)/.exec(file.toString('latin1', at, end));
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { word: match[1], phones: match[2].trim().split(' '), next: end + 1 };
}

/** Start of a line near which `word` stands, by bisection over bytes. */
function findPlace(file: Buffer, word: string): number {
  let low = file.indexOf('\n  "') + 1;
  let high = file.lastIndexOf('\n  "') + 1;
  const first = low;
  while (high - low > 200) {
    const middle = lineBack(file, Math.floor((low + high) / 2), 0);
    if (middle <= low) break;
    const entry = parseEntry(file, middle);
    if (entry !== undefined && entry.word < word) low = middle;
    else high = middle;
  }
  return Math.max(first, low);
}

/** Start of the line `lines` before the one that holds byte `at`, not before the first entry. */
function lineBack(file: Buffer, at: number, lines: number): number {
  const first = file.indexOf('\n  "') + 1;
  let start = at;
  for (let i = 0; i <= lines && start > first; i++) start = file.lastIndexOf(newline, start - (i === 0 ? 1 : 2)) + 1;
  return Math.max(first, start);
}
