import type { AcousticEngine } from '../../src/acoustic/engine/types.ts';
import { loadModelPackage } from '../../src/acoustic/model/load-model.ts';
import { type WrittenPhones, writePhones } from '../../src/protocol/written-phones.ts';
import type { OpenUtterance } from '../../src/scoring/pipeline.ts';
import type { Reference } from '../../src/scoring/text/reference.ts';
import type { TimedResult } from '../../src/scoring/utterance-scorer.ts';

/** An engine that says what the shipped model is and runs nothing. */
export function quietEngine(): AcousticEngine {
  const model = loadModelPackage('models/en-learner');
  const stats = { streams: 0, queueDepth: 0, stepP95Ms: 1, busy: 0, runs: 0, meanBatch: 1, silentMs: 0, restarts: 0 };
  return {
    model,
    provider: 'none',
    open() {
      throw new Error('nothing is heard here');
    },
    stats: () => stats,
    close: async () => {},
  };
}

/** Frames of sound that were taken, to divide by. */
export const taken = { frames: 0 };

/**
 * Scoring that costs next to nothing: feedback of a usual size each `emitIntervalMs` of sound, made
 * once, and a result of a usual size.
 */
export const quietScoring: OpenUtterance = ({ model }, reference, { emitIntervalMs }, { onFeedback }) => {
  const emitSamples = (emitIntervalMs / 1000) * model.sampleRateHz;
  let samples = 0;
  let emitted = 0;
  return {
    push(pcm) {
      taken.frames += 1;
      samples += pcm.length;
      if (samples - emitted < emitSamples) return;
      emitted = samples;
      const audioMs = (samples / model.sampleRateHz) * 1000;
      onFeedback?.({ audioMs, phones, timing: { queue: 1.5, features: 0.25, asr: 3.5, scoring: 0.75 }, ageMs: 1.25 });
    },
    gap() {},
    finish: async () => resultOf(reference),
    close() {},
  };
};

/** The text that everybody reads, six seconds long. */
export const quietReference: Reference = {
  words: ['the', 'conference', 'will', 'begin', 'when', 'the', 'leader', 'arrives'].map((text) => ({
    text,
    variants: [['K', 'AA', 'N', 'F']],
    source: 'dictionary',
  })),
};

const phoneOf = (index: number) => ({
  index,
  word_index: Math.floor(index / 4),
  phoneme: 'AA',
  start_ms: index * 100,
  end_ms: index * 100 + 90,
  status: 'provisional' as const,
  gop: -0.734_512,
  accuracy: 81.5,
  confidence: 0.875,
  error_type: 'none' as const,
  nbest: [
    { phoneme: 'AA', score: 0.8125 },
    { phoneme: 'AH', score: 0.125 },
    { phoneme: 'AO', score: 0.0625 },
  ],
});

const phones: WrittenPhones = writePhones([10, 11, 12, 13].map(phoneOf));

function resultOf(reference: Reference): TimedResult {
  return {
    heard: 'text',
    scores: { accuracy: 90, fluency: 90, completeness: 100, pronunciation: 90 },
    words: reference.words.map(({ text }, word) => ({
      text,
      start_ms: word * 400,
      end_ms: word * 400 + 390,
      accuracy: 90,
      error_type: 'none',
      pronunciation: { source: 'dictionary', variant: 0 },
      phonemes: [0, 1, 2, 3].map((at) => ({ ...phoneOf(4 * word + at), status: 'final' as const })),
    })),
    deviations: [],
    pace: { words_per_minute: 60, speech_ms: 6000, pause_ms: 0, longest_pause_ms: 0, pauses: 0 },
    final_lag_ms: { p50: 200, p95: 200, max: 200 },
    timing: { scoring: 1 },
  };
}
