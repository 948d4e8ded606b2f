import type {
  Deviation,
  ErrorType,
  UtteranceResult,
  UtteranceScores,
  WhatWasHeard,
  WordResult,
} from '../protocol/result.ts';
import { contextFeatures } from './calibrate/context.ts';
import { fluencyScore, measurePace } from './fluency.ts';
import type { LiveScorer } from './live-scorer.ts';
import type { ScoredPhone } from './phone-scorer.ts';
import type { Reference } from './text/reference.ts';

/** One final phone and its score in context, 0-2; null when unscored. */
export type JudgedPhone = ScoredPhone & { scoreInContext: number | null };

/**
 * The words of the reading, each with its phones in order, after the scorer has finished; in steps
 * of a word.
 */
export function* judgeInContext(scorer: LiveScorer): Generator<void, JudgedPhone[][]> {
  const words = Array.from({ length: scorer.graph.words }, (_, word) => scorer.finalsOf(word));
  const scored = words.flat().filter((phone) => phone.score !== null);
  const contextOf = contextFeatures(
    scored.map(({ word, score, start, end, features }) => ({
      word,
      features,
      score: score!,
      logDuration: Math.log(Math.max(1, end - start)),
    })),
  );
  yield;
  const { calibrator } = scorer;
  let index = 0;
  const inContext = ({ features, phone, score }: ScoredPhone): number | null => {
    if (score === null) return null;
    const at = index++;
    return features ? calibrator.scoreInContext(features, phone, contextOf(at)) : calibrator.unheard.score;
  };
  const judged: JudgedPhone[][] = [];
  for (const phones of words) {
    judged.push(phones.map((phone) => withContext(phone, inContext(phone))));
    yield;
  }
  return judged;
}

/** Written out: V8 takes ten times as long to spread a phone. */
function withContext(phone: ScoredPhone, scoreInContext: number | null): JudgedPhone {
  return {
    state: phone.state,
    word: phone.word,
    depth: phone.depth,
    start: phone.start,
    end: phone.end,
    phone: phone.phone,
    saidAt: phone.saidAt,
    features: phone.features,
    score: phone.score,
    result: phone.result,
    scoreInContext,
  };
}

/**
 * The whole utterance's result, in steps of a word.
 *
 * @param lagMs How long after its acoustic end a phone was final, ms on the audio clock.
 */
export function* summarize(
  scorer: LiveScorer,
  reference: Reference,
  judged: readonly (readonly JudgedPhone[])[],
  strideMs: number,
  lagMs: (phone: ScoredPhone) => number,
): Generator<void, UtteranceResult> {
  const judgedWords: WordResult[] = [];
  for (const [word, phones] of judged.entries()) {
    judgedWords.push(wordResult(scorer, reference, word, phones));
    yield;
  }
  const isRead = judgedWords.some(({ error_type }) => error_type !== 'omission' && error_type !== 'unscored');
  const words = isRead ? judgedWords : judgedWords.map((word) => ({ ...word, accuracy: null }));
  // A word of which nothing was heard counts in completeness alone.
  const phones = isRead ? judged.filter((of) => of.some(isHeard)).flat() : [];
  const heard = phones.filter(isHeard);
  const scored = phones.filter((phone) => phone.scoreInContext !== null);
  const read = words.filter((word) => word.error_type === 'none' || word.error_type === 'substitution').length;
  const expected = words.filter((word) => word.error_type !== 'unscored').length;
  const stretch = ({ start, end }: { start: number; end: number }) => ({
    startMs: start * strideMs,
    endMs: end * strideMs,
  });
  const { phones_per_second: rate, ...pace } = measurePace(heard.map(stretch), scorer.pauses.map(stretch), read);
  const accuracy = scored.length === 0 ? null : 50 * average(scored.map((phone) => phone.scoreInContext!));
  const fluency = fluencyScore(rate);
  const completeness = expected === 0 ? null : (100 * read) / expected;
  const deviations = scorer.deviations();
  return {
    heard: whatWasHeard(read, expected, deviations),
    scores: { accuracy, fluency, completeness, pronunciation: overall(accuracy, fluency, completeness) },
    words,
    deviations,
    pace,
    final_lag_ms: lagSummary(heard.filter((phone) => phone.result.gop !== null).map(lagMs)),
  };
}

function isHeard({ start, end }: { start: number; end: number }): boolean {
  return end > start;
}

function whatWasHeard(read: number, expected: number, deviations: readonly Deviation[]): WhatWasHeard {
  if (read > 0) return 'text';
  if (expected === 0) return 'lost';
  return deviations.some(({ kind }) => kind === 'other_words' || kind === 'inserted') ? 'other_sounds' : 'nothing';
}

function wordResult(
  scorer: LiveScorer,
  reference: Reference,
  index: number,
  phones: readonly JudgedPhone[],
): WordResult {
  const { text, source, readings } = reference.words[index]!;
  const heard = phones.filter(isHeard);
  const extent = heard.length > 0 ? heard : phones;
  const scores = phones.map((phone) => phone.scoreInContext).filter((score) => score !== null);
  const last = phones.at(-1);
  const variant = Math.max(0, last === undefined ? -1 : scorer.graph.ends[last.state]!);
  const error_type = scorer.isDoubted ? 'omission' : wordError(phones, scores, scorer.calibrator.flagThreshold);
  return {
    text,
    start_ms: Math.min(...extent.map((phone) => phone.result.start_ms)),
    end_ms: Math.max(...extent.map((phone) => phone.result.end_ms)),
    accuracy: scores.length === 0 ? null : heard.length === 0 ? 0 : 50 * average(scores),
    error_type,
    pronunciation: { source, variant, ...(readings && { reading: readings[variant]! }) },
    phonemes: phones.map((phone) => phone.result),
  };
}

/**
 * A word is left out when more than half of its phones are; it is wrong when its mean score is
 * below the threshold.
 */
function wordError(phones: readonly JudgedPhone[], scores: readonly number[], threshold: number): ErrorType {
  if (scores.length === 0) return 'unscored';
  const omitted = phones.filter((phone) => phone.result.error_type === 'omission').length;
  if (omitted > phones.length / 2) return 'omission';
  return average(scores) < threshold ? 'substitution' : 'none';
}

/**
 * One number of the three, as in Microsoft's published samples of pronunciation assessment without
 * prosody: the lowest weighs .6, the others .2 each, so that a fluent reading of half the text
 * cannot look good.
 */
function overall(...scores: readonly (number | null)[]): UtteranceScores['pronunciation'] {
  const known = scores.filter((score) => score !== null).sort((a, b) => a - b);
  if (known.length < scores.length) return null;
  return 0.6 * known[0]! + 0.2 * known[1]! + 0.2 * known[2]!;
}

function lagSummary(lags: number[]): UtteranceResult['final_lag_ms'] {
  const sorted = lags.sort((a, b) => a - b);
  const quantile = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? null;
  return { p50: quantile(0.5), p95: quantile(0.95), max: sorted.at(-1) ?? null };
}

function average(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}
