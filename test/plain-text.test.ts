import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hiddenCharacters, plainStack, plainText, plainValue, withoutMiddle } from '../src/plain-text.ts';
import { visibleLength } from '../src/report/terminal/fold.ts';

describe('what a terminal would obey is written out', () => {
  it.each([
    ['the title of the window', '\x1b]0;mine\x07', '\\x1b]0;mine\\x07'],
    ['a cleared screen', 'a\x1b[2Jb', 'a\\x1b[2Jb'],
    ['a colour, which only we give', '\x1b[31mred', '\\x1b[31mred'],
    ['a C1 control', '\x9b31m', '\\x9b31m'],
    ['a line of its own', 'ok\nverdict: pass', 'ok\\nverdict: pass'],
    ['a line written over', 'fail\rpass', 'fail\\rpass'],
    ['characters taken back', 'fail\b\b\b\bpass', 'fail\\x08\\x08\\x08\\x08pass'],
    ['a tab', 'a\tb', 'a\\tb'],
    ['NUL and DEL', '\0\x7f', '\\x00\\x7f'],
    ['separators of lines', 'a\u2028b\u2029c\u0085d', 'a\\u2028b\\u2029c\\x85d'],
    ['a turned direction', 'exe\u202egnp', 'exe\\u202egnp'],
    ['isolates and marks of direction', '\u2066a\u2069\u200e\u200f\u061c', '\\u2066a\\u2069\\u200e\\u200f\\u061c'],
    ['blanks without width', 'a\u200bb\u2060c\ufeffd', 'a\\u200bb\\u2060c\\ufeffd'],
    ['fillers that look like nothing', '\u3164\u115f\u00ad', '\\u3164\\u115f\\xad'],
    ['tags', '\u{e0041}\u{e007f}', '\\u{e0041}\\u{e007f}'],
    ['half a surrogate pair', 'a\ud800b\udc00', 'a\\ud800b\\udc00'],
    ['what is no character', '\uffff\u{1fffe}', '\\uffff\\u{1fffe}'],
    ['a joiner in a Latin word', 'pay\u200dpal', 'pay\\u200dpal'],
    ['a selector that chooses nothing', 'a\ufe0f\ufe00\u{e0100}', 'a\\ufe0f\\ufe00\\u{e0100}'],
    ['a second selector', '\u2764\ufe0f\ufe0f', '\u2764\ufe0f\\ufe0f'],
    ['a flood of marks', `Z${'\u0301'.repeat(500)}a`, `Z${'\u0301'.repeat(8)}…a`],
    ['a mark that would sit on our quotation mark', '\u0301a', '◌\u0301a'],
  ])('%s', (_, given, shown) => {
    expect(plainText(given)).toBe(shown);
  });
});

describe('texts of every language stay', () => {
  it.each([
    ['Persian', 'می‌خواهم'],
    ['Arabic with vowels', 'اَلْعَرَبِيَّةُ'],
    ['Hebrew with vowels', 'שָׁלוֹם'],
    ['Hindi with a joiner', 'क्‍ष'],
    ['old Malayalam, whose words end with one', 'അവന്‍'],
    ['Vietnamese, decomposed', 'Tie\u0302\u0301ng Vie\u0302\u0323t'],
    ['Thai', 'ภาษาไทยที่นี่'],
    ['Tibetan', 'བསྒྲུབས'],
    ['Mongolian with a selector', 'ᠠ\u180b'],
    ['Chinese, with the form of a character chosen', '葛\u{e0100}'],
    ['emoji of several', '👩‍👩‍👧‍👦 ❤️ ✌🏽 1️⃣ 🏳️‍🌈'],
  ])('%s', (_, text) => {
    expect(plainText(text)).toBe(text);
  });
});

describe('a long text loses its middle', () => {
  it.each([
    ['Latin', 'a'.repeat(10_000)],
    ['wide characters', '字'.repeat(10_000)],
    ['emoji', '😀'.repeat(10_000)],
    ['controls, which grow', '\x1b'.repeat(10_000)],
    ['marks', 'e\u0301'.repeat(10_000)],
  ])('of %s', (_, text) => {
    const shown = plainText(text, 60);
    expect(shown).toContain('…');
    expect(visibleLength(shown)).toBeLessThanOrEqual(60);
    expect(visibleLength(shown)).toBeGreaterThan(50);
  });

  it('and keeps how it begins and ends', () => {
    expect(withoutMiddle(`begin${'-'.repeat(100)}end`, 20)).toBe('begin---------…--end');
    expect(withoutMiddle('exactly so wide', 15)).toBe('exactly so wide');
  });
});

it('shows nothing hidden, whatever is given, and the same when it is shown again', () => {
  const units = fc.array(
    fc.oneof(
      fc.integer({ min: 0, max: 0xffff }),
      fc.constantFrom(0x1b, 0x0a, 0x200d, 0x200b, 0x202e, 0xfe0f, 0x301, 0x61, 0x645, 0xd83d, 0xde00),
    ),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(units, fc.integer({ min: 10, max: 80 }), (codes, columns) => {
      const shown = plainText(String.fromCharCode(...codes), columns);
      const left = shown.match(hiddenCharacters) ?? [];
      // Joiners and selectors stay where they belong.
      expect(left.filter((one) => !/\p{Join_Control}|\p{Variation_Selector}/u.test(one))).toEqual([]);
      expect(Buffer.from(shown).toString()).toBe(shown);
    }),
    { seed: 12, numRuns: 2000 },
  );
});

it('shows a value with every text in it, keys too, and leaves what has nothing foreign', () => {
  const fine = { name: 'a', list: [{ b: 'c' }], samples: [1, 2] };
  expect(plainValue(fine)).toBe(fine);
  const value = { ['\x1b']: ['\n', 1, undefined, { '': '\u202e' }], map: new Map([['\r', '\b']]), when: new Date(0) };
  expect(plainValue(value)).toEqual({
    '\\x1b': ['\\n', 1, undefined, { '': '\\u202e' }],
    map: new Map([['\\r', '\\x08']]),
    when: new Date(0),
  });
});

it('keeps two keys apart that differ where they are cut', () => {
  const keys = ['x', 'y'].map((middle) => `${'a'.repeat(1000)}${middle}${'a'.repeat(1000)}`);
  expect(Object.keys(plainValue(Object.fromEntries(keys.map((key) => [key, 1]))))).toHaveLength(2);
});

it('keeps the lines of a stack, and none of its message', () => {
  expect(plainStack('Error: bad\nverdict: pass\n    at f (a.ts:1:2)\n    at \x1b[2J')).toBe(
    'Error: bad\\nverdict: pass\n    at f (a.ts:1:2)\n    at \\x1b[2J',
  );
});
