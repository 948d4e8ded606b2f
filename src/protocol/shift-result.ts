import type { Deviation, UtteranceResult } from './result.ts';

/** A whole result on the session's clock. */
export function shiftResult<Result extends UtteranceResult>(result: Result, byMs: number): Result {
  if (byMs === 0) return result;
  return {
    ...result,
    words: result.words.map((word) => ({
      ...shiftSpan(word, byMs),
      phonemes: word.phonemes.map((phone) => shiftSpan(phone, byMs)),
    })),
    deviations: result.deviations.map((deviation) => shiftDeviation(deviation, byMs)),
  };
}

/** A place where the reading left the text, and what was heard there, on the session's clock. */
export function shiftDeviation({ phonemes, ...span }: Deviation, byMs: number): Deviation {
  return { ...shiftSpan(span, byMs), ...(phonemes && { phonemes: phonemes.map((phone) => shiftSpan(phone, byMs)) }) };
}

/** Anything with a start and an end, on the session's clock. */
function shiftSpan<Span extends { start_ms: number; end_ms: number }>(span: Span, byMs: number): Span {
  return { ...span, start_ms: span.start_ms + byMs, end_ms: span.end_ms + byMs };
}
