/** What is wrong with a phone or a word; `unscored` when its audio was missing. */
const errorTypes = ['none', 'substitution', 'omission', 'insertion', 'unscored'] as const;
export type ErrorType = (typeof errorTypes)[number];

/**
 * One phone of the reference, as `score --json`, `phoneme_feedback` and `utterance_final` show it.
 */
export type PhonemeResult = {
  /** Place in the utterance, from 0, over all words. */
  index: number;
  word_index: number;
  /** ARPAbet without stress. */
  phoneme: string;
  start_ms: number;
  end_ms: number;
  /** Raw goodness of pronunciation, nats, <= 0 (see rawGop); null when unscored. */
  gop: number | null;
  /**
   * Calibrated, 0-100, from this phone's segment alone; 0 in a word that was left out; null when
   * unscored or nothing of the text was read.
   */
  accuracy: number | null;
  /** 0-1: how sure the calibrated score is. */
  confidence: number;
  error_type: ErrorType;
  /** A final phone never changes again. */
  status: 'provisional' | 'final';
  /** What the segment sounded most like, best first, shares of 1. */
  nbest: readonly { phoneme: string; score: number }[];
};

export type WordResult = {
  text: string;
  start_ms: number;
  end_ms: number;
  /**
   * 0-100 with the word's and utterance's context; 0 when it was left out, null when nothing of the
   * text was read or it was not scored.
   */
  accuracy: number | null;
  error_type: ErrorType;
  /**
   * Where the pronunciation came from, and which of its variants was heard; `reading` says in words
   * what was read where the text may be read in several ways (2024: "twenty", "two thousand").
   */
  pronunciation: { source: 'dictionary' | 'letter_to_sound' | 'given'; variant: number; reading?: string };
  phonemes: readonly PhonemeResult[];
};

/**
 * 0-100 each; null when nothing was scored: where nothing of the text was read, all but
 * `completeness` are.
 */
export type UtteranceScores = {
  accuracy: number | null;
  fluency: number | null;
  completeness: number | null;
  pronunciation: number | null;
};

/** A place where the reading left the text. */
export type Deviation = {
  /**
   * `inserted`: sounds that are not in the text, too short for `other_words`; known when the
   * utterance is over.
   */
  kind: 'skipped' | 'repeated' | 'other_words' | 'inserted';
  /**
   * First and last word index concerned; for `other_words` and `inserted` the word before or in
   * which they were heard, the count of words behind the last.
   */
  first_word: number;
  last_word: number;
  start_ms: number;
  end_ms: number;
  /** What `inserted` and, once the utterance is over, `other_words` sounded like. */
  phonemes?: readonly InsertedPhone[];
};

/** A phone that was said and is not in the text. */
export type InsertedPhone = {
  /** ARPAbet without stress. */
  phoneme: string;
  start_ms: number;
  end_ms: number;
  /** 0-1: how sure the model is that it heard this phone. */
  confidence: number;
  error_type: 'insertion';
};

/**
 * What was heard: some of the text, sounds but nothing of the text, nothing at all, or nothing
 * because the audio was lost. Without `text` there is no accuracy.
 */
export type WhatWasHeard = 'text' | 'other_sounds' | 'nothing' | 'lost';

export type UtteranceResult = {
  heard: WhatWasHeard;
  scores: UtteranceScores;
  words: readonly WordResult[];
  deviations: readonly Deviation[];
  /** Words a minute of speech, share of pause, pauses; what `fluency` was made of. */
  pace: {
    words_per_minute: number | null;
    speech_ms: number;
    pause_ms: number;
    longest_pause_ms: number;
    pauses: number;
  };
  /** Acoustic end of a phone to its final score, on the audio clock, ms. */
  final_lag_ms: { p50: number | null; p95: number | null; max: number | null };
};
