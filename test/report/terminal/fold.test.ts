import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { alignColumns } from '../../../src/report/terminal/columns.ts';
import { folded, visibleLength } from '../../../src/report/terminal/fold.ts';
import { createPaint } from '../../../src/report/terminal/paint.ts';

describe('lines too long for a terminal', () => {
  it.each([
    ['go on two blanks further in', 'one two three four', 10, 'one two\n  three\n  four'],
    [
      'keep below the last column',
      '  pods    67      each carries so many streams',
      32,
      '  pods    67      each carries\n                  so many\n                  streams',
    ],
    ['keep below the text of an item', '  - one two three', 11, '  - one two\n    three'],
    ['fit as they are', 'one two', 7, 'one two'],
    ['are left alone when they are drawn', 'asr 250 ms ██████ pass', 10, 'asr 250 ms ██████ pass'],
    ['break at no word', 'onetwothreefour five', 10, 'onetwothreefour\n  five'],
  ])('%s', (_, text, columns, expected) => expect(folded(text, columns)).toBe(expected));

  it('are as wide as the library says, of plain text too, which it is not asked about', () =>
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'grapheme-ascii' }), fc.string({ unit: 'grapheme' })), (text) => {
        expect(visibleLength(text)).toBe(stringWidth(text));
      }),
    ));

  it('lose no word, and are only as wide as their longest word or the terminal', () =>
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 }),
        fc.integer({ min: 20, max: 60 }),
        (words, columns) => {
          const lines = folded(words.join(' '), columns).split('\n');
          expect(lines.join(' ').split(/ +/)).toEqual(words);
          for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
        },
      ),
    ));

  it('have colours that take no width', () => {
    const dim = createPaint(true).dim('note: one two');
    expect(visibleLength(dim)).toBe(13);
    expect(folded(dim, 13)).toBe(dim);
  });

  it.each([
    ['plain', 'seven', 5],
    ['composed', 'é', 1],
    ['combining', 'e\u0301', 1],
    ['wide', '音声', 4],
    ['of a smiling face', '🙂', 2],
    ['none', '', 0],
  ])('count columns, not code units: %s', (_, text, columns) => expect(visibleLength(text)).toBe(columns));

  it('line up below wide and combining characters', () => {
    const rows = [
      ['音声', '1'],
      ['e\u0301te\u0301', '22'],
      ['plain', '333'],
    ];
    expect(alignColumns(rows, '<>')).toEqual(['音声     1', 'e\u0301te\u0301     22', 'plain  333']);
  });

  it('break where a terminal runs out of columns, not of code units', () => {
    expect(folded('音声 音声 音声', 10)).toBe('音声 音声\n  音声');
  });
});
