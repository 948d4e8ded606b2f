/**
 * What the aligner charges for leaving the text, in nats against the model's log-posteriors, and
 * how long it waits. Tuned on 1,000 readings by learners of two held-out folds (AUC of raw GOP, lag
 * of finals), checked on native readings.
 */
export type Penalties = {
  /** Log-posteriors below this count as this: one odd frame must not outweigh a whole word. */
  floor: number;
  /**
   * Each phone begun. Every whole reading pays it as often, so it changes no alignment; it keeps
   * the live one from running ahead of the reader through noise.
   */
  advance: number;
  /**
   * A phone that lasts one frame, and one that lasts two: nobody reads several of those in a row.
   */
  oneFrame: number;
  twoFrames: number;
  /** A phone of the word is left out. */
  omission: number;
  /** A word is passed over, and each further one with it. */
  skipWord: number;
  skipNextWord: number;
  /**
   * The reader goes back to the start of this word or of one before, and for each further word
   * back.
   */
  repeat: number;
  repeatWord: number;
  /** Farthest that a reader goes back, words. */
  repeatReach: number;
  /** Other words begin, and each frame of them, against the likeliest phone of that frame. */
  filler: number;
  fillerFrame: number;
  /**
   * Sound outside the text, before its first word or after its last, begins (times the words of the
   * text to the power of 1.5, at most `filler`); each frame of it, and each phone begun in it,
   * against a free phone loop. Words in longer speech are told from chance by these (`npm run bench
   * longer-speech`).
   */
  outsideBefore: number;
  outsideAfter: number;
  outsideFrame: number;
  outsidePhone: number;
  /** Mean GOP under which what was found of the text, in speech outside it, is chance. */
  doubtedGop: number;
  /** By so much must the text beat sound before it, until then no phone is certain. */
  outsideMargin: number;
  /**
   * Words before and after the likeliest place that are searched: bounds the cost of long texts.
   */
  wordsBehind: number;
  wordsAhead: number;
};

export const penalties = {
  floor: -14,
  advance: 1,
  oneFrame: 7,
  twoFrames: 3,
  omission: 30,
  skipWord: 30,
  skipNextWord: 10,
  repeat: 40,
  repeatWord: 2,
  repeatReach: 6,
  filler: 60,
  fillerFrame: 2,
  outsideBefore: 10,
  outsideAfter: 12,
  outsideFrame: 1.4,
  outsidePhone: 6,
  doubtedGop: -4.4,
  outsideMargin: 20,
  wordsBehind: 8,
  wordsAhead: 12,
} as const satisfies Penalties;

/** How long the aligner waits, in frames of the model. */
export type Patience = {
  /** A phone is final when the likeliest course left it this long ago. */
  finalFrames: number;
  /** A jump in the text (words skipped, repeated, other words) is believed after this many. */
  deviationFrames: number;
  /** The course of the reading is settled this far back. */
  settleFrames: number;
  /**
   * The same for texts of one or two words: what is like them is found more often, and sooner, than
   * they are.
   */
  shortSettleFrames: number;
  /**
   * The text, after sound outside it, is believed after this many: speech that is like its first
   * word comes often.
   */
  outsideFrames: number;
};

export const patience = {
  // Waiting for rivals to agree made finals later and no better: held-out learners AUC .8679 with,
  // .8683 without, native .9405 and .9423.
  finalFrames: 1,
  deviationFrames: 8,
  settleFrames: 60,
  shortSettleFrames: 70,
  outsideFrames: 60,
} as const satisfies Patience;
