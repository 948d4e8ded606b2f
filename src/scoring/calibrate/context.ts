import { SEGMENT_FEATURES } from './features.ts';

/**
 * What is known of a phone beyond its own segment, in order. Scores are the calibrated ones from
 * the segment alone, 0-2.
 */
export const contextNames = [
  /** This phone's own score. */
  'alone',
  'word_mean',
  'word_min',
  'utterance_mean',
  'utterance_min',
  'utterance_p10',
  'utterance_p25',
  'utterance_p50',
  'utterance_deviation',
  /** Mean of the utterance's other phones. */
  'utterance_others',
  /** Neighbours' scores; the utterance's mean at its ends. */
  'before_1',
  'after_1',
  'before_2',
  'after_2',
  /** ln of the phones in the word and in the utterance. */
  'word_phones',
  'utterance_phones',
  /** Place in the word, 0-1. */
  'place',
  /** Mean of `logdur` over the utterance, and this phone's difference to it. */
  'mean_logdur',
  'relative_logdur',
  /** Means of the features `seglr` and `ver` over the phones that were heard. */
  'mean_seglr',
  'mean_ver',
] as const;

/** One scored phone, in the order of reading; a phone that was not heard has no features. */
export type PhoneInContext = { word: number; score: number; logDuration: number; features: Float32Array | undefined };

/** Gives the context of the phone with an index, in the order of `contextNames`. */
export function contextFeatures(phones: readonly PhoneInContext[]): (index: number) => Float32Array {
  const scores = phones.map((phone) => phone.score);
  const sorted = [...scores].sort((a, b) => a - b);
  const quantile = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!;
  const mean = average(scores);
  const deviation = Math.sqrt(average(scores.map((score) => (score - mean) ** 2)));
  const meanLogDuration = average(phones.map((phone) => phone.logDuration));
  const meanMargin = meanFeature(phones, 'seglr');
  const meanVerdict = meanFeature(phones, 'ver');
  const words = new Map<number, number[]>();
  for (const [index, { word }] of phones.entries()) {
    const members = words.get(word);
    if (members) members.push(index);
    else words.set(word, [index]);
  }
  return (index) => {
    const phone = phones[index]!;
    const word = words.get(phone.word)!;
    const wordScores = word.map((other) => scores[other]!);
    return Float32Array.from([
      phone.score,
      average(wordScores),
      Math.min(...wordScores),
      mean,
      sorted[0]!,
      quantile(0.1),
      quantile(0.25),
      quantile(0.5),
      deviation,
      phones.length > 1 ? (phones.length * mean - phone.score) / (phones.length - 1) : mean,
      scores[index - 1] ?? mean,
      scores[index + 1] ?? mean,
      scores[index - 2] ?? mean,
      scores[index + 2] ?? mean,
      Math.log(word.length),
      Math.log(phones.length),
      word.indexOf(index) / Math.max(1, word.length - 1),
      meanLogDuration,
      phone.logDuration - meanLogDuration,
      meanMargin,
      meanVerdict,
    ]);
  };
}

function meanFeature(phones: readonly PhoneInContext[], name: (typeof SEGMENT_FEATURES)[number]): number {
  const at = SEGMENT_FEATURES.indexOf(name);
  return average(phones.flatMap(({ features }) => (features === undefined ? [] : [features[at]!])));
}

function average(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / Math.max(1, values.length);
}
