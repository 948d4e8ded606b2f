import { expect, it } from 'vitest';
import { contextFeatures, contextNames } from '../../../src/scoring/calibrate/context.ts';
import { SEGMENT_FEATURES } from '../../../src/scoring/calibrate/features.ts';

const phone = (word: number, score: number, logDuration = 1, seglr = 0, ver = 0) => {
  const features = new Float32Array(SEGMENT_FEATURES.length);
  features[SEGMENT_FEATURES.indexOf('seglr')] = seglr;
  features[SEGMENT_FEATURES.indexOf('ver')] = ver;
  return { word, score, logDuration, features };
};
const unheard = { ...phone(1, 0), features: undefined };

it('describes each phone by its word, its neighbours and the whole', () => {
  const contextOf = contextFeatures([phone(0, 2, 1, 4, 6), phone(0, 1, 2, 2, 1), unheard]);
  const rows = [0, 1, 2].map((index) => Float32Array.from(contextOf(index)));
  const named = rows.map((row) => Object.fromEntries(contextNames.map((name, index) => [name, row[index]])));
  expect(named[1]).toEqual({
    alone: 1,
    word_mean: 1.5,
    word_min: 1,
    utterance_mean: 1,
    utterance_min: 0,
    utterance_p10: 0,
    utterance_p25: 0,
    utterance_p50: 1,
    utterance_deviation: expect.closeTo(Math.sqrt(2 / 3), 5),
    utterance_others: 1,
    before_1: 2,
    after_1: 0,
    before_2: 1,
    after_2: 1,
    word_phones: expect.closeTo(Math.log(2), 5),
    utterance_phones: expect.closeTo(Math.log(3), 5),
    place: 1,
    mean_logdur: expect.closeTo(4 / 3, 5),
    relative_logdur: expect.closeTo(2 / 3, 5),
    mean_seglr: 3,
    mean_ver: 3.5,
  });
  expect(named[2]).toMatchObject({
    word_mean: 0,
    before_1: 1,
    after_1: 1,
    before_2: 2,
    place: 0,
    utterance_others: 1.5,
  });
});
