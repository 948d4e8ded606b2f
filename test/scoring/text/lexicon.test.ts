import { dictionary } from 'cmu-pronouncing-dictionary';
import { describe, expect, it } from 'vitest';
import { soundOut } from '../../../src/scoring/text/letter-to-sound.ts';
import { pronunciations } from '../../../src/scoring/text/lexicon.ts';
import { parsePhone } from '../../../src/scoring/text/phones.ts';

const entries = Object.entries(dictionary);
const plain = (phones: string) =>
  phones
    .replace(/#.*/, '')
    .trim()
    .split(' ')
    .map((phone) => parsePhone(phone));

describe('the dictionary', () => {
  it.each([
    [
      'hello',
      [
        ['HH', 'AH', 'L', 'OW'],
        ['HH', 'EH', 'L', 'OW'],
      ],
    ],
    ['bookcase', [['B', 'UH', 'K', 'K', 'EY', 'S']]],
    [
      "don't",
      [
        ['D', 'OW', 'N', 'T'],
        ['D', 'OW', 'N'],
      ],
    ],
    ["d'artagnan", [['D', 'AH', 'R', 'T', 'AE', 'NG', 'Y', 'AH', 'N']]],
    ["'bout", [['B', 'AW', 'T']]],
    ['a', [['AH'], ['EY']]],
  ])('knows %s', (word, phones) => {
    expect(pronunciations(word)).toEqual(phones);
  });

  it.each(['blicket', '', 'zzzzzz', '"', 'hello(2)'])('does not know "%s"', (word) => {
    expect(pronunciations(word)).toEqual([]);
  });

  it('finds what importing the package would find', () => {
    // Every 97th entry, and the first and last, among them the neighbours that are out of order in the file.
    const words = entries.map(([word]) => word).filter((word) => !word.includes('('));
    const sample = words.filter((word, index) => index % 97 === 0 || /^(sepul|stilt)/.test(word));
    for (const word of [...sample, words[0]!, words.at(-1)!]) {
      expect(pronunciations(word)[0], word).toEqual(plain(dictionary[word]!));
    }
  });
});

describe('letter to sound', () => {
  it('is wrong in about a tenth of the phones of words it was not made from', () => {
    // The rules were learned without every tenth of these; names are more than half of them.
    const words = entries.filter(([word]) => /^[a-z]{2,}$/.test(word)).filter((_, index) => index % 10 === 0);
    let wrong = 0;
    let phones = 0;
    for (const [word, said] of words) {
      const expected = plain(said);
      wrong += distance(soundOut(word), expected);
      phones += expected.length;
    }
    expect(words.length).toBeGreaterThan(10_000);
    expect(wrong / phones).toBeLessThan(0.105);
  });

  it.each([
    ['blicket', 'B L IH K AH T'],
    ['zorp', 'Z AO R P'],
    ['knightly', 'N AY T L IY'],
    ["zorp's", 'Z AO R P S'],
  ])('sounds out %s', (word, phones) => {
    expect(soundOut(word).join(' ')).toBe(phones);
  });
});

function distance(a: readonly string[], b: readonly (string | undefined)[]): number {
  let row = [...b.keys(), b.length];
  for (const [i, x] of a.entries()) {
    const next = [i + 1];
    for (const [j, y] of b.entries()) next.push(Math.min(row[j + 1]! + 1, next[j]! + 1, row[j]! + (x === y ? 0 : 1)));
    row = next;
  }
  return row.at(-1)!;
}
