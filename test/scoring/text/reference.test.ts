import { describe, expect, it } from 'vitest';
import { resolveReference } from '../../../src/scoring/text/reference.ts';

describe('a reference', () => {
  it('says where each pronunciation came from', () => {
    const { words } = resolveReference({ text: 'Hello blicket' });
    expect(words).toEqual([
      {
        text: 'Hello',
        variants: [
          ['HH', 'AH', 'L', 'OW'],
          ['HH', 'EH', 'L', 'OW'],
        ],
        source: 'dictionary',
      },
      { text: 'blicket', variants: [['B', 'L', 'IH', 'K', 'AH', 'T']], source: 'letter_to_sound' },
    ]);
  });

  it.each([
    ["the dogs' bowl", 'D AO G Z'],
    ["'hello'", 'HH AH L OW'],
    ["'Hello!' he said.", 'HH AH L OW'],
    ['5 a.m.', 'F AY V'],
  ])('finds the words of %s in the dictionary', (text, phones) => {
    const { words } = resolveReference({ text });
    expect(words.every((word) => word.source === 'dictionary')).toBe(true);
    expect(words.map((word) => word.variants[0]!.join(' '))).toContain(phones);
  });

  it.each([
    ['dial the PBX', [['P', 'IY', 'B', 'IY', 'EH', 'K', 'S']]],
    ['an IVR system', [['AY', 'V', 'IY', 'AA', 'R'], expect.any(Array)]],
  ])('spells letters where "%s" asks for it', (text, variants) => {
    const word = resolveReference({ text }).words.find((candidate) => candidate.source === 'letter_to_sound');
    expect(word?.variants).toEqual(expect.arrayContaining(variants));
  });

  it('knows both readings of short forms', () => {
    const [doctor, , saint] = resolveReference({ text: 'Dr. Smith, St. Mary' }).words;
    const readings = [doctor, saint].map((word) => word!.variants.map((phones) => phones.join(' ')));
    expect(readings[0]).toEqual(expect.arrayContaining(['D AA K T ER', 'D R AY V']));
    expect(readings[1]).toEqual(expect.arrayContaining(['S EY N T', 'S T R IY T']));
    expect(doctor).toMatchObject({ text: 'Dr', source: 'dictionary' });
  });

  it('takes phones as given, with or without stress', () => {
    const { words } = resolveReference({ words: [{ text: 'WE', phones: ['W', 'iy0'] }] });
    expect(words).toEqual([{ text: 'WE', variants: [['W', 'IY']], source: 'given' }]);
  });

  it.each([
    [
      [
        { text: 'hi', phones: ['HH', 'QQ'] },
        { text: 'ho', phones: ['X9'] },
      ],
      'unknown phones: QQ in "hi", X9 in "ho"',
    ],
    [[{ text: 'hi', phones: [] }], 'the word "hi" has 0 phones; 1 to 40'],
    [[{ text: 'hi', phones: new Array(41).fill('AA') }], 'the word "hi" has 41 phones'],
    [[], 'has 0 words'],
  ])('refuses phones that it cannot take', (words, message) => {
    expect(() => resolveReference({ words })).toThrow(message);
    expect(() => resolveReference({ words })).toThrow(expect.objectContaining({ code: 'invalid_reference' }));
  });
});
