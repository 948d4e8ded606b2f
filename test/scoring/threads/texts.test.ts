import { describe, expect, it } from 'vitest';
import type { Reference } from '../../../src/scoring/text/reference.ts';
import { KnownTexts } from '../../../src/scoring/threads/known-texts.ts';
import { SharedTexts } from '../../../src/scoring/threads/shared-texts.ts';

const textOf = (phones: number): Reference => ({
  words: [{ text: 'x', variants: [Array.from({ length: phones }, () => 'AA')], source: 'given' }],
});

describe('the texts of a scoring thread', () => {
  it('are sent once while anybody reads them', () => {
    const texts = new SharedTexts(100);
    const page = textOf(50);
    const first = texts.hold(page);
    expect([first.isNew, texts.hold(page), texts.hold(textOf(50)).isNew]).toEqual([
      true,
      { key: first.key, isNew: false },
      true,
    ]);
  });

  it('stay without a reader until others take their room, the oldest going first', () => {
    const texts = new SharedTexts(100);
    const [a, b, c] = [textOf(40), textOf(40), textOf(40)];
    const keys = [a, b, c].map((text) => texts.hold(text).key);
    for (const text of [a, b]) texts.release(text);
    expect(texts.takeForgotten()).toEqual([]);
    expect(texts.hold(a).isNew).toBe(false);
    texts.release(a);
    texts.release(c);
    expect(texts.takeForgotten()).toEqual([keys[1]]);
    expect(texts.takeForgotten()).toEqual([]);
    expect(texts.hold(b).isNew).toBe(true);
  });

  it('are kept while one of two readers is left, and a large one is not kept for nobody', () => {
    const texts = new SharedTexts(10);
    const page = textOf(50);
    const { key } = texts.hold(page);
    texts.hold(page);
    texts.release(page);
    expect(texts.takeForgotten()).toEqual([]);
    texts.release(page);
    expect(texts.takeForgotten()).toEqual([key]);
  });
});

describe('texts that were read before', () => {
  it('are found again as the same, as long as there is room', () => {
    const known = new KnownTexts(60);
    const read = (text: string) => known.read({ text }, 1000, () => {});
    const fox = read('the quick brown fox');
    expect(read('the quick brown fox')).toBe(fox);
    for (let i = 0; i < 5; i++) read(`${'over '.repeat(4)}${'lazy '.repeat(i)}`);
    expect(read('the quick brown fox')).not.toBe(fox);
  });

  it('are bounded by their phones each time, and checked the first time', () => {
    const known = new KnownTexts(1000);
    const source = { words: [{ text: 'x', phones: ['AA', 'B', 'K'] }] };
    let checks = 0;
    for (let i = 0; i < 2; i++) known.read(source, 3, () => checks++);
    expect(checks).toBe(1);
    expect(() => known.read(source, 2, () => {})).toThrow(/3 phones .* at most 2 .*max_text_phones/);
    const failing = () => known.read({ text: 'lazy' }, 99, () => expect.unreachable('unreadable'));
    expect(failing).toThrow('unreadable');
    expect(failing).toThrow('unreadable');
  });
});
