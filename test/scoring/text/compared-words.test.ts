import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparedWords, textWords } from '../../../src/scoring/text/compared-words.ts';

describe('the words by which transcripts are compared', () => {
  it.each<[text: string, words: string]>([
    ['The conference is being recorded.', 'the conference is being recorded'],
    ['  Yes — "no", (maybe)…  ', 'yes no maybe'],
    ['It’s John`s dog; the dogs’ bowls', "it's john's dog the dogs bowls"],
    ['twenty-two well-known facts/figures', 'twenty two well known facts figures'],
    ['Room 42, at 10 a.m. in the U.S.', 'room forty two at ten am in the us'],
    ['At 10 AM', 'at ten am'],
    ['$5 million & 100%', 'five million dollars and one hundred percent'],
    ['Mr. Smith vs Dr. Jones, OK?', 'mister smith versus doctor jones okay'],
    ['ﬁve Ｗords', 'five words'],
    ['na\u0069\u0308ve café', 'naïve café'],
    ['5 привет', 'five привет'],
    ['1~ and 22§привет', 'one and twenty two привет'],
    ['\u200b', ''],
    ['...', ''],
    ['', ''],
  ])('of %j are %j', (text, words) => {
    expect(comparedWords(text, 'en-US').join(' ')).toBe(words);
  });

  it.each<[language: string, text: string, words: string]>([
    ['de-DE', 'Größe 42, über-groß!', 'größe 42 über groß'],
    ['fr', "l’eau d'ici", "l'eau d'ici"],
    ['ru', 'Привет, мир', 'привет мир'],
    ['zh-CN', '会议开始，OK吗', '会 议 开 始 ok 吗'],
    ['ja', 'カメラ、ひらく', 'カ メ ラ ひ ら く'],
    ['ko', '회의가 시작', '회의가 시작'],
    ['hi', 'नमस्ते दुनिया', 'नमस्ते दुनिया'],
    ['ar', 'مرحبا بالعالم', 'مرحبا بالعالم'],
  ])('in %s of %j are %j', (language, text, words) => {
    expect(comparedWords(text, language).join(' ')).toBe(words);
  });

  it('of Thai are its characters with their marks', () => {
    expect(comparedWords('ที่นี่', 'th')).toEqual(['ที่', 'นี่']);
  });

  it('have every reading of a number that the text may have', () => {
    const words = textWords('In 2024, yes', 'en-US');
    expect(words.map(({ shown }) => shown)).toHaveLength(words.length);
    expect(words.flatMap(({ ways }) => ways.map((way) => way.join(' ')))).toEqual(
      expect.arrayContaining(['in', 'two thousand', 'twenty', 'yes']),
    );
  });

  it('are those that are written where a text cannot be read in English', () => {
    expect(textWords('Grüße an 会议', 'de').map(({ shown }) => shown)).toEqual(['grüße', 'an', '会', '议']);
    expect(textWords('Привет 5', 'en').map(({ ways }) => ways[0]![0])).toEqual(['привет', 'five']);
  });

  it('are plain, and never an error, whatever a server says', () => {
    const tongues = fc.constantFrom('en-US', 'de', 'zh', 'th', 'x');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), tongues, (said, language) => {
        for (const word of comparedWords(said, language)) expect(word).toMatch(/^[\p{L}\p{M}\p{N}']+$/u);
      }),
      { numRuns: 300 },
    );
  });
});
