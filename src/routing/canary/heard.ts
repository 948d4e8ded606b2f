import type { CanarySpec } from '../policy/canary.ts';

/** One utterance as it was heard. */
export type HeardUtterance = {
  /** From the end of its sound to its final text, ms; Infinity: none came. */
  finalAfterMs: number;
  /** Wrong words, and words of the text that was to be read; absent: no text is known. */
  edits?: { wrong: number; words: number } | undefined;
  /** Another backend had to write it than the one that was meant to. */
  isElsewhere?: boolean;
};

/** What became of an utterance for whoever was to hear it: all but `good` count against them. */
export type UtteranceOutcome = 'good' | 'elsewhere' | 'missing' | 'late' | 'wrong';

/** What became of an utterance by the terms of a canary; the first that holds, as listed. */
export function heardOutcome(
  { bad }: Pick<CanarySpec, 'bad'>,
  { finalAfterMs, edits, isElsewhere = false }: HeardUtterance,
): UtteranceOutcome {
  if (isElsewhere) return 'elsewhere';
  if (finalAfterMs === Number.POSITIVE_INFINITY) return 'missing';
  if (finalAfterMs > bad.finalAfter) return 'late';
  if (bad.werAbove === undefined || edits === undefined || edits.words === 0) return 'good';
  return edits.wrong / edits.words > bad.werAbove ? 'wrong' : 'good';
}
