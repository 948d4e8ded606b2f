import type { PhonemeResult, WordResult } from '../protocol/result.ts';
import type { Calibrator } from './calibrate/calibrator.ts';
import { unheardGop } from './phone-scorer.ts';
import type { Reference } from './text/reference.ts';
import type { TimedResult } from './utterance-scorer.ts';

/**
 * The result of an utterance of which no sound ever came: every phone of every word was left out.
 * It is what a scorer without frames says, at a tenth of the cost.
 */
export function unheardResult({ words }: Reference, { unheard }: Calibrator): TimedResult {
  let firstIndex = 0;
  const results = words.map(({ text, variants, source, readings }, word_index): WordResult => {
    const first = firstIndex;
    firstIndex += Math.max(...variants.map((phones) => phones.length));
    const phonemes = variants[0]!.map(
      (phoneme, depth): PhonemeResult => ({
        index: first + depth,
        word_index,
        phoneme,
        start_ms: 0,
        end_ms: 0,
        status: 'final',
        gop: unheardGop,
        accuracy: null,
        confidence: unheard.confidence,
        error_type: 'omission',
        nbest: [],
      }),
    );
    const pronunciation = { source, variant: 0, ...(readings && { reading: readings[0]! }) };
    return { text, start_ms: 0, end_ms: 0, accuracy: null, error_type: 'omission', pronunciation, phonemes };
  });
  return {
    heard: 'nothing',
    scores: { accuracy: null, fluency: null, completeness: 0, pronunciation: null },
    words: results,
    deviations: [{ kind: 'skipped', first_word: 0, last_word: words.length - 1, start_ms: 0, end_ms: 0 }],
    pace: { words_per_minute: null, speech_ms: 0, pause_ms: 0, longest_pause_ms: 0, pauses: 0 },
    final_lag_ms: { p50: null, p95: null, max: null },
    timing: { queue: 0, features: 0, asr: 0, scoring: 0 },
  };
}
