import fc from 'fast-check';
import { expect, it } from 'vitest';
import { wordEdits } from '../../src/shadow/word-edits.ts';

it.each<[one: string, other: string, edits: number]>([
  ['', '', 0],
  ['a b c', '', 3],
  ['', 'a', 1],
  ['the leader arrives', 'the leader arrives', 0],
  ['the leader arrives', 'a leader arrives', 1],
  ['the leader arrives', 'leader arrives now', 2],
  ['kitten sitting on', 'sitting on kitten', 2],
])('"%s" is %s by %i edits', (one, other, edits) => {
  const words = (text: string) => text.split(' ').filter((word) => word !== '');
  expect(wordEdits(words(one), words(other))).toBe(edits);
});

it('is a distance: nothing for the same, alike both ways, no longer by a detour', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 });
  fc.assert(
    fc.property(text, text, text, (a, b, c) => {
      expect(wordEdits(a, a)).toBe(0);
      expect(wordEdits(a, b)).toBe(wordEdits(b, a));
      expect(wordEdits(a, c)).toBeLessThanOrEqual(wordEdits(a, b) + wordEdits(b, c));
      expect(wordEdits(a, b)).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      expect(wordEdits(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
    }),
  );
});

it('ends soon for a backend that writes without end', () => {
  expect(wordEdits(['a'], Array(1_000_000).fill('b'))).toBe(400);
});
