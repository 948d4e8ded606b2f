import { describe, expect, it } from 'vitest';
import { fluencyScore, measurePace } from '../../src/scoring/fluency.ts';

const at = (startMs: number, endMs: number) => ({ startMs, endMs });

describe('pace', () => {
  it('counts silences of 200 ms and more between the first and last phone', () => {
    const pace = measurePace(
      [at(500, 600), at(900, 1000), at(1150, 1300)],
      [at(0, 500), at(600, 900), at(1000, 1150), at(1300, 2000)],
      2,
    );
    expect(pace).toEqual({
      words_per_minute: 150,
      phones_per_second: 3.75,
      speech_ms: 500,
      pause_ms: 300,
      longest_pause_ms: 300,
      pauses: 1,
    });
  });

  it('is unknown when nothing was read', () => {
    expect(measurePace([], [at(0, 1000)], 0)).toMatchObject({ words_per_minute: null, speech_ms: 0, pauses: 0 });
  });
});

it.each([
  [null, null],
  [0, 0],
  [2, 0],
  [6.5, 50],
  [11, 100],
  [14, 100],
])('%d phones a second score %d', (rate, score) => {
  expect(fluencyScore(rate)).toEqual(score);
});
