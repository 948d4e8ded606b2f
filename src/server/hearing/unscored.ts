import type { OpenUtterance } from '../../scoring/pipeline.ts';
import type { Reference } from '../../scoring/text/reference.ts';
import type { TimedResult } from '../../scoring/utterance-scorer.ts';

/** How a text is read in a language that the model does not know: nothing is expected of it. */
export const unscoredReference: Reference = { words: [] };

/** Hears sound and scores none of it. */
export const openUnscored: OpenUtterance = () => ({
  push() {},
  gap() {},
  finish: async () => unscoredResult,
  close() {},
});

/** What is said of an utterance that was not scored. */
const unscoredResult: TimedResult = {
  heard: 'nothing',
  scores: { accuracy: null, fluency: null, completeness: null, pronunciation: null },
  words: [],
  deviations: [],
  pace: { words_per_minute: null, speech_ms: 0, pause_ms: 0, longest_pause_ms: 0, pauses: 0 },
  final_lag_ms: { p50: null, p95: null, max: null },
  timing: {},
};
