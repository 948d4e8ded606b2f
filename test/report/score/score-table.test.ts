import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import type { PhonemeResult, UtteranceResult, WordResult } from '../../../src/protocol/result.ts';
import { renderScore } from '../../../src/report/score/score-table.ts';
import { createPaint } from '../../../src/report/terminal/paint.ts';

const phone = (phoneme: string, changes: Partial<PhonemeResult> = {}): PhonemeResult => ({
  index: 0,
  word_index: 0,
  phoneme,
  start_ms: 100,
  end_ms: 200,
  gop: -0.2,
  accuracy: 93.4,
  confidence: 0.9,
  error_type: 'none',
  status: 'final',
  nbest: [{ phoneme, score: 0.9 }],
  ...changes,
});

const word = (text: string, phonemes: PhonemeResult[], changes: Partial<WordResult> = {}): WordResult => ({
  text,
  start_ms: 100,
  end_ms: 450,
  accuracy: 88.2,
  error_type: 'none',
  pronunciation: { source: 'dictionary', variant: 0 },
  phonemes,
  ...changes,
});

const result: UtteranceResult = {
  heard: 'text',
  scores: { accuracy: 71.2, fluency: 95, completeness: 75, pronunciation: 76.7 },
  words: [
    word('I', [phone('AY')]),
    word(
      'think',
      [
        phone('TH', {
          accuracy: 12,
          error_type: 'substitution',
          nbest: [
            { phoneme: 'S', score: 0.8 },
            { phoneme: 'TH', score: 0.1 },
          ],
        }),
        phone('IH', { accuracy: 61 }),
        phone('NG', { accuracy: null, gop: null, error_type: 'unscored', nbest: [] }),
        phone('K', { accuracy: 3, error_type: 'omission', nbest: [] }),
      ],
      { accuracy: 34, error_type: 'substitution' },
    ),
    word('so', [phone('S', { accuracy: 0, error_type: 'omission' })], { accuracy: 0, error_type: 'omission' }),
    word('wug', [phone('W')], { pronunciation: { source: 'letter_to_sound', variant: 0 } }),
  ],
  deviations: [
    { kind: 'repeated', first_word: 0, last_word: 1, start_ms: 500, end_ms: 900 },
    { kind: 'skipped', first_word: 2, last_word: 2, start_ms: 1200, end_ms: 1200 },
    { kind: 'other_words', first_word: 4, last_word: 4, start_ms: 2000, end_ms: 2500 },
  ],
  pace: { words_per_minute: 118.4, speech_ms: 1500, pause_ms: 450, longest_pause_ms: 450, pauses: 1 },
  final_lag_ms: { p50: 180, p95: 260, max: 300 },
};

it('shows words, phones, what went wrong and the scores', () => {
  expect(renderScore('clip.wav', result, createPaint(false))).toMatchInlineSnapshot(`
    "clip.wav

    word   score  from-to s     phones
    I         88  0.10-0.45     AY 93
    think     34  0.10-0.45     !TH 12 (like S)  IH 61  NG ?  !K 3 (left out)
    so         0  0.10-0.45     !S 0 (left out)
    wug       88  0.10-0.45     W 93  (sounded out)

    went back to "I think" at 0.50 s
    skipped "so" at 1.20 s
    other words after the last word, 2.00-2.50 s
    pronunciation 77   accuracy 71   fluency 95   completeness 75
    118 words a minute, 1 pauses (0.45 s), live a phone is final 260 ms after its end (p95)
    "
  `);
});

it('colour repeats what the text says', () => {
  const coloured = renderScore('clip.wav', result, createPaint(true));
  expect(coloured).toContain('\u001b[31m!TH 12 (like S)\u001b[39m');
  expect(stripVTControlCharacters(coloured)).toBe(renderScore('clip.wav', result, createPaint(false)));
});
