import { describe, expect, it } from 'vitest';
import { readClipWords } from '../../src/scoring/clip-words.ts';

const good = [
  { text: 'To', end_ms: 310 },
  { text: 'lock', end_ms: 700.5, start_ms: 320, accuracy: 90 },
  { text: 'or', end_ms: null },
  { text: 'unlock', end_ms: 1400 },
  { text: 'it' },
];

describe('the words of a manifest', () => {
  it('are read with their ends, and those that were not read without', () => {
    expect(readClipWords(good, 2000)).toEqual([
      { text: 'To', endMs: 310 },
      { text: 'lock', endMs: 700.5 },
      { text: 'or', endMs: undefined },
      { text: 'unlock', endMs: 1400 },
      { text: 'it', endMs: undefined },
    ]);
  });

  it.each([
    undefined,
    null,
    7,
    'To lock',
    [],
    ['To', 'lock'],
    [null],
    [{ text: 'To', phones: ['T', 'UW'] }],
    { text: 'To' },
  ])('without times are none of ours: %o', (given) => {
    expect(readClipWords(given, 2000)).toBeUndefined();
  });

  it.each<[string, unknown, string]>([
    ['a time as text', [{ text: 'To', end_ms: '310' }], 'words.0.end_ms: "310" is not a number'],
    ['a time below 0', [{ text: 'To', end_ms: -1 }], 'words.0.end_ms: -1 is not at least 0'],
    ['a word without text', [{ end_ms: 310 }], 'words.0.text: is missing; write text'],
    ['something else between', [good[0], 'lock'], 'words.1: "lock" is not a mapping'],
    [
      'an end behind the sound',
      [...good, { text: 'x', end_ms: 2001 }],
      'words.5.end_ms: 2001 ms is after the end of the recording at 2000 ms',
    ],
    [
      'ends out of order',
      [...good, { text: 'x', end_ms: 1300 }],
      'words.5.end_ms: 1300 ms is before the word ahead of it, at 1400 ms',
    ],
  ])('with %s are refused', (_, given, sentence) => {
    expect(() => readClipWords(given, 2000)).toThrow(sentence);
  });
});
