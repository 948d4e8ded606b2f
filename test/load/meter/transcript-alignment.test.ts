import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TranscriptAlignment } from '../../../src/load/meter/transcript-alignment.ts';

const wordsOf = (text: string) => text.split(' ').filter((word) => word !== '');

function rightIn(text: string, transcript: string, whole: boolean): string {
  const alignment = new TranscriptAlignment(wordsOf(text));
  alignment.see(wordsOf(transcript));
  const right: number[] = [];
  alignment.right(whole, (place) => right.unshift(place));
  return right.join(' ');
}

describe('a transcript aligned with its text', () => {
  it.each<[text: string, transcript: string, right: string, what: string]>([
    ['a b c d', '', '', 'says nothing'],
    ['a b c d', 'a b', '0 1', 'is its beginning'],
    ['a b c d', 'a b c d', '0 1 2 3', 'is all of it'],
    ['a b c d', 'b c', '1 2', 'left the first word out'],
    ['a b c d', 'a x c', '0 2', 'has a word wrong'],
    ['a b c d', 'a x b c', '0 1 2', 'has a word too many'],
    ['a b c d', 'um a', '0', 'begins with another word'],
    ['a b c d', 'x', '', 'has no word of it'],
    ['the cat the dog', 'the', '0', 'may be at one of two places: it is at the first'],
    ['the cat the dog', 'the cat the', '0 1 2', 'repeats a word as the text does'],
    ['a b a b c', 'a b c', '0 1', 'may go on as well as leave words out: it goes on'],
    ['', 'a', '', 'is of nothing'],
  ])('of "%s" that says "%s" has %j right, as it %s', (text, transcript, right) => {
    expect(rightIn(text, transcript, false)).toBe(right);
  });

  it.each<[text: string, transcript: string, right: string]>([
    ['a b c d', 'd', '3'],
    ['a b a b c', 'a b c', '2 3 4'],
    ['a b c d', 'a c d', '0 2 3'],
  ])('of all of "%s" that says "%s" has %j right', (text, transcript, right) => {
    const found = rightIn(text, transcript, true);
    // Of equally short ways any will do; they have as many words right.
    expect(found.split(' ')).toHaveLength(right.split(' ').length);
    expect(found.split(' ').at(-1)).toBe(right.split(' ').at(-1));
  });

  const words = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 });

  it('has the edit distance of the two, whatever came before', () => {
    fc.assert(
      fc.property(words, fc.array(words, { minLength: 1, maxLength: 5 }), (text, transcripts) => {
        const alignment = new TranscriptAlignment(text);
        for (const transcript of transcripts) {
          alignment.see(transcript);
          expect(alignment.errors).toBe(editDistance(text, transcript));
        }
      }),
    );
  });

  it('has words right in the order of both', () => {
    fc.assert(
      fc.property(words, words, fc.boolean(), (text, transcript, whole) => {
        const alignment = new TranscriptAlignment(text);
        alignment.see(transcript);
        const pairs: [number, number][] = [];
        alignment.right(whole, (place, at) => pairs.unshift([place, at]));
        for (const [k, [place, at]] of pairs.entries()) {
          expect(transcript[at]).toBe(text[place]);
          const next = pairs[k + 1];
          if (next) expect(place < next[0] && at < next[1]).toBe(true);
        }
      }),
    );
  });

  it('counts each word of a flood as one too many, without looking at it', () => {
    const alignment = new TranscriptAlignment(['a', 'b']);
    alignment.see(['a', 'b', ...Array.from({ length: 100_000 }, () => 'x')]);
    expect(alignment.errors).toBe(100_000);
  });
});

/** The textbook's, over the whole table. */
function editDistance(a: readonly string[], b: readonly string[]): number {
  let row = b.map((_, k) => k + 1);
  row.unshift(0);
  for (const [i, one] of a.entries()) {
    const next = [i + 1];
    for (const [k, other] of b.entries())
      next.push(Math.min(row[k]! + (one === other ? 0 : 1), row[k + 1]! + 1, next[k]! + 1));
    row = next;
  }
  return row.at(-1)!;
}
