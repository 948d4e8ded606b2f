import { expect, it } from 'vitest';
import { ordinal, spellNumber, spellYear } from '../../../src/scoring/text/numbers.ts';

it.each([
  [0, 'zero'],
  [7, 'seven'],
  [13, 'thirteen'],
  [20, 'twenty'],
  [42, 'forty two'],
  [100, 'one hundred'],
  [115, 'one hundred fifteen'],
  [1000, 'one thousand'],
  [2026, 'two thousand twenty six'],
  [70_019, 'seventy thousand nineteen'],
  [1_000_001, 'one million one'],
  [999_999_999, 'nine hundred ninety nine million nine hundred ninety nine thousand nine hundred ninety nine'],
])('%d is read "%s"', (value, words) => {
  expect(spellNumber(value).join(' ')).toBe(words);
});

it.each([
  [1, 'first'],
  [12, 'twelfth'],
  [15, 'fifteenth'],
  [20, 'twentieth'],
  [99, 'ninety ninth'],
  [100, 'one hundredth'],
  [1_000_000, 'one millionth'],
])('place %d is the %s', (value, words) => {
  expect(ordinal(spellNumber(value)).join(' ')).toBe(words);
});

it.each([
  [1100, 'eleven hundred'],
  [1905, 'nineteen oh five'],
  [1999, 'nineteen ninety nine'],
])('the year %d is %s', (year, words) => {
  expect(spellYear(year).join(' ')).toBe(words);
});
