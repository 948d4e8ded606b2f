import { describe, expect, it } from 'vitest';
import { splitWords } from '../../../src/scoring/text/words.ts';

const spoken = (text: string) => splitWords(text).map((word) => word.spoken);

describe('a text becomes the words that are said', () => {
  it.each([
    ['Hello, world!', ['hello', 'world']],
    ["I'm sorry — that’s not it.", ["i'm", 'sorry', "that's", 'not', 'it']],
    ['a well-known fact', ['a', 'well', 'known', 'fact']],
    ['and/or', ['and', 'or']],
    ['"Go!" he said.', ['go', 'he', 'said']],
    ["rock 'n' roll", ['rock', 'n', 'roll']],
    ['Room 42', ['room', 'forty', 'two']],
    ['1,250 apples', ['one', 'thousand', 'two', 'hundred', 'fifty', 'apples']],
    ['press 007', ['press', 'zero', 'zero', 'seven']],
    ['3.14', ['three', 'point', 'one', 'four']],
    ['call 12345678901', 'call one two three four five six seven eight nine zero one'.split(' ')],
    ['on the 1st, 2nd and 3rd', 'on the first second and third'.split(' ')],
    ['the 22nd of May', 'the twenty second of may'.split(' ')],
    ['the 30th time', 'the thirtieth time'.split(' ')],
    ['in 1990 and 1905', 'in nineteen ninety and nineteen oh five'.split(' ')],
    ['since 1800', 'since eighteen hundred'.split(' ')],
    ['1,990 of 2026', 'one thousand nine hundred ninety of two thousand twenty six'.split(' ')],
    ['it costs $5.', 'it costs five dollars'.split(' ')],
    ['$1.50 or $20.00', 'one dollar and fifty cents or twenty dollars'.split(' ')],
    ['$0.125', 'zero point one two five'.split(' ')],
    ['2x4 and 3rds', 'two x four and three rds'.split(' ')],
    ['the café', ['the', 'cafe']],
    ['at 5 a.m. sharp', ['at', 'five', 'a.m', 'sharp']],
    ['salt & pepper, 5%', ['salt', 'and', 'pepper', 'five', 'percent']],
  ])('%s', (text, words) => {
    expect(spoken(text)).toEqual(words);
  });

  it('shows each word as it was written', () => {
    expect(splitWords("DON'T Stop").map((word) => word.shown)).toEqual(["DON'T", 'Stop']);
  });
});

describe('a text that cannot be read is refused, with what is wrong', () => {
  it.each([
    ['', 'has no words'],
    ['... !?', 'has no words'],
    ["' '", 'has no words'],
    ['привет world', 'outside English: п р и в е т'],
    ['你好', 'outside English: 你 好'],
    ['straße', 'outside English: ß'],
    ['٤ apples', 'outside English: ٤'],
    ['x'.repeat(61), '61 letters; at most 60'],
    ['word '.repeat(501), '501 words; at most 500'],
  ])('%s', (text, message) => {
    expect(() => splitWords(text)).toThrow(expect.objectContaining({ code: 'invalid_reference' }));
    expect(() => splitWords(text)).toThrow(message);
  });
});
