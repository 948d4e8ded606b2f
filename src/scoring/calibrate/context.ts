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

/**
 * Gives the context of the phone with an index, in the order of `contextNames`; what it gave before
 * is written over.
 */
export function contextFeatures(phones: readonly PhoneInContext[]): (index: number) => Float32Array {
  const scores = phones.map((phone) => phone.score);
  const sorted = [...scores].sort((a, b) => a - b);
  const quantile = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!;
  const mean = average(scores);
  const deviation = Math.sqrt(average(scores.map((score) => (score - mean) ** 2)));
  const meanLogDuration = average(phones.map((phone) => phone.logDuration));
  const meanMargin = meanFeature(phones, 'seglr');
  const meanVerdict = meanFeature(phones, 'ver');
  const words = wordsOf(phones, scores);
  const least = sorted[0]!;
  const [p10, p25, p50] = [quantile(0.1), quantile(0.25), quantile(0.5)];
  const logPhones = Math.log(phones.length);
  // The next call writes over it: whoever asks reads it at once, and new memory for each phone is
  // dear.
  const context = new Float32Array(contextNames.length);
  return (index) => {
    const phone = phones[index]!;
    const word = words.get(phone.word)!;
    context[0] = phone.score;
    context[1] = word.mean;
    context[2] = word.least;
    context[3] = mean;
    context[4] = least;
    context[5] = p10;
    context[6] = p25;
    context[7] = p50;
    context[8] = deviation;
    context[9] = phones.length > 1 ? (phones.length * mean - phone.score) / (phones.length - 1) : mean;
    context[10] = index > 0 ? scores[index - 1]! : mean;
    context[11] = index + 1 < scores.length ? scores[index + 1]! : mean;
    context[12] = index > 1 ? scores[index - 2]! : mean;
    context[13] = index + 2 < scores.length ? scores[index + 2]! : mean;
    context[14] = word.logPhones;
    context[15] = logPhones;
    context[16] = word.members.indexOf(index) / Math.max(1, word.members.length - 1);
    context[17] = meanLogDuration;
    context[18] = phone.logDuration - meanLogDuration;
    context[19] = meanMargin;
    context[20] = meanVerdict;
    return context;
  };
}

type WordInContext = { members: number[]; mean: number; least: number; logPhones: number };

function wordsOf(phones: readonly PhoneInContext[], scores: readonly number[]): Map<number, WordInContext> {
  const words = new Map<number, WordInContext>();
  for (const [index, { word }] of phones.entries()) {
    const known = words.get(word);
    if (known) known.members.push(index);
    else words.set(word, { members: [index], mean: 0, least: 0, logPhones: 0 });
  }
  for (const word of words.values()) {
    const own = word.members.map((member) => scores[member]!);
    word.mean = average(own);
    word.least = Math.min(...own);
    word.logPhones = Math.log(own.length);
  }
  return words;
}

function meanFeature(phones: readonly PhoneInContext[], name: (typeof SEGMENT_FEATURES)[number]): number {
  const at = SEGMENT_FEATURES.indexOf(name);
  return average(phones.flatMap(({ features }) => (features === undefined ? [] : [features[at]!])));
}

function average(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / Math.max(1, values.length);
}
