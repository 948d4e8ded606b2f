import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { continueText, wordsOf } from '../../../src/server/hearing/continue-text.ts';

describe('a text that another writer goes on with', () => {
  it.each([
    ['', 'the cat', 'the cat'],
    ['the cat', '', 'the cat'],
    ['the cat', 'the', 'the cat'],
    ['the cat', 'the cat sat', 'the cat sat'],
    ['The cat,', 'the cat sat', 'The cat, sat'],
    ['the cat', 'the bat sat', 'the cat sat'],
    ['the cat', 'cat sat', 'the cat sat'],
    ['the cat', 'oh the cat sat', 'the cat sat'],
    ['twenty four', '24 hours', 'twenty four'],
    ['a b c d', 'a b x d e', 'a b c d e'],
  ])('of "%s" and "%s" makes "%s"', (settled, words, all) => {
    expect(continueText(wordsOf(settled), wordsOf(words)).join(' ')).toBe(all);
  });

  const words = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 });

  it('keeps what was settled, and adds all that is new to who heard the same', () => {
    fc.assert(
      fc.property(words, words, (settled, rest) => {
        expect(continueText(settled, settled)).toEqual(settled);
        const all = continueText(settled, rest);
        expect(all.slice(0, settled.length)).toEqual(settled);
        expect(all.length).toBeLessThanOrEqual(settled.length + rest.length);
      }),
    );
  });
});
