import type { CanarySpec } from '../policy/canary.ts';

/** One utterance as it was heard. */
export type HeardUtterance = {
  /** From the end of its sound to its final text, ms; Infinity: none came. */
  finalAfterMs: number;
  /** Wrong words, and words of the text that was to be read; absent: no text is known. */
  edits?: { wrong: number; words: number } | undefined;
};

/** Whether an utterance counts against whoever heard it. */
export function isBadUtterance({ bad }: Pick<CanarySpec, 'bad'>, { finalAfterMs, edits }: HeardUtterance): boolean {
  if (finalAfterMs > bad.finalAfter) return true;
  if (bad.werAbove === undefined || edits === undefined || edits.words === 0) return false;
  return edits.wrong / edits.words > bad.werAbove;
}
